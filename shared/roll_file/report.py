"""The report of one import: what happened to the rows of the file."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any, Self

from shared.roll_file.errors import WarningCode

# The import mode because of which the rows under each warning were not saved.
LEFT_ALONE: Mapping[WarningCode, str] = MappingProxyType(
    {WarningCode.NOT_CREATED: "update_only", WarningCode.NOT_UPDATED: "create_only"}
)
PREVIEW_ONLY = ("would_create", "would_update", "differences")


@dataclass(slots=True)
class Report:
    """The counts of one import. Every row read has exactly one of the five outcomes.

    - `missing_fields` counts rows by field, if the field is blank or has no column.
    - `errors` and `warnings` count rows by code.
    - `blank_rows` counts separately. A blank row is not a row read.
    - `columns` has the file's own label of each field.
    - `assumptions` lists what the importer decided because the uploader did not state it.
    - `signs` are what is odd, each with code and message.
    - `eligibility_on` and `eligibility_off` count updated voters whose eligibility changes.
    - Only a preview has `differences` (a sample) and the fields that begin with `would`.
    """

    rows_read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    rejected: int = 0
    blank_rows: int = 0
    missing_columns: list[str] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)
    missing_fields: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)
    signs: list[dict[str, str]] = field(default_factory=list)
    eligibility_on: int = 0
    eligibility_off: int = 0
    would_create: int | None = None
    would_update: int | None = None
    differences: list[dict[str, Any]] = field(default_factory=list)

    @property
    def saved(self) -> int:
        """Rows whose content is on the roll now, even if it was there before."""
        return self._good - self.left_alone

    @property
    def left_alone(self) -> int:
        """Good rows that were not saved because of the import mode."""
        return sum(self.warnings.get(code, 0) for code in LEFT_ALONE)

    @property
    def _good(self) -> int:
        return self.created + self.updated + self.unchanged + self.repeated

    def check(self) -> None:
        """Raise `ValueError` unless every row read has exactly one outcome."""
        if self.rows_read != self._good + self.rejected:
            raise ValueError(
                f"{self.rows_read} rows read, {self._good} good, {self.rejected} rejected"
            )

    def sentence(self, dry_run: bool) -> str:
        """Return the outcome in one sentence, for the status and the email."""
        rows = f"{self.saved:,} of {self.rows_read:,} rows"
        outcomes = f"({', '.join(self._good_outcomes())}), {self.rejected:,} rejected"
        if dry_run:
            return f"File check completed: {rows} would be saved {outcomes}. Nothing was changed."
        return f"File processing completed successfully: {rows} saved {outcomes}."

    def _good_outcomes(self) -> Iterator[str]:
        yield f"{self.created:,} created"
        yield f"{self.updated:,} updated"
        yield f"{self.unchanged:,} unchanged"
        if self.repeated:
            yield f"{self.repeated:,} repeated"
        for code, mode in LEFT_ALONE.items():
            if rows := self.warnings.get(code):
                yield f"including {rows:,} that {mode} skips"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as the API shows it."""
        values = asdict(self)
        if self.would_create is None:
            for name in PREVIEW_ONLY:
                del values[name]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build a report from the result of `to_dict`, without the counts of newer workers."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})
