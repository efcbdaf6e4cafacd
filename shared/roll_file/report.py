"""What became of the rows of one file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any, Self

from shared.roll_file.errors import WarningCode

# What left the rows alone that count under a warning.
LEFT_ALONE: Mapping[WarningCode, str] = MappingProxyType(
    {WarningCode.NOT_CREATED: "update_only", WarningCode.NOT_UPDATED: "create_only"}
)
PREVIEW_ONLY = ("would_create", "would_update", "differences")


@dataclass(slots=True)
class Report:
    """The counts of one import; every row read is in exactly one of the five outcomes.

    `missing_fields` counts rows in which a field is blank or has no column, by field; `errors`
    and `warnings` count rows by code. Blank rows are no rows and stand apart. `columns` tells the
    file's own label of each field, `assumptions` what was decided without being told, `signs` what
    is odd (code and message). `eligibility_on` and `eligibility_off` are updated voters whose
    eligibility changes. What begins with `would` and a sample of `differences` are a preview's.
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
        """Rows whose content is on the roll now, whether or not it was there before."""
        return self._good - self.left_alone

    @property
    def left_alone(self) -> int:
        """Good rows that were not saved because the mode of the import asked for that."""
        return sum(self.warnings.get(code, 0) for code in LEFT_ALONE)

    @property
    def _good(self) -> int:
        return self.created + self.updated + self.unchanged + self.repeated

    def check(self) -> None:
        """Raise `ValueError` unless every row read is accounted for exactly once."""
        if self.rows_read != self._good + self.rejected:
            raise ValueError(
                f"{self.rows_read} rows read, {self._good} good, {self.rejected} rejected"
            )

    def sentence(self, dry_run: bool) -> str:
        """The outcome in one sentence, for the status and the mail."""
        rows = f"{self.saved:,} of {self.rows_read:,} rows"
        outcomes = f"{self._outcomes()}, {self.rejected:,} rejected"
        if dry_run:
            return f"File check completed: {rows} would be saved ({outcomes}; nothing was changed."
        return f"File processing completed successfully: {rows} saved ({outcomes}."

    def _outcomes(self) -> str:
        counts = [
            f"{self.created:,} created",
            f"{self.updated:,} updated",
            f"{self.unchanged:,} unchanged",
        ]
        if self.repeated:
            counts.append(f"{self.repeated:,} repeated")
        for code, mode in LEFT_ALONE.items():
            if rows := self.warnings.get(code):
                counts.append(f"of which {rows:,} left alone as {mode} asks")
        return f"{', '.join(counts)})"

    def to_dict(self) -> dict[str, Any]:
        """The report as the API gives it."""
        values = asdict(self)
        if self.would_create is None:
            for name in PREVIEW_ONLY:
                del values[name]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The report that `to_dict` gave, without what only a newer worker counts."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})
