"""How one file is to be imported, as its uploader asks."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

from shared.roll_file.limits import ReadOptions
from shared.staging.merge import Mode


class UnknownOption(ValueError):
    """A newer web process has stored an option, or a value, that this worker does not know."""


class OnError(StrEnum):
    """What becomes of the good rows when others are rejected."""

    SKIP = "skip"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class ImportOptions(ReadOptions):
    """The conditions of an import on top of how its file is to be read.

    What an import must obey belongs here: an older worker refuses an option that it does not know,
    and does not see a new column of the job.

    An import that breaks one of them fails, and the roll stays as it is: with `on_error` ABORT any
    rejected row, more rejected rows than `max_rejected_percent` of all, or another number of rows
    than `expected_rows` (rows below the header that are not blank).
    """

    mode: Mode = Mode.UPSERT
    on_error: OnError = OnError.SKIP
    max_rejected_percent: float | None = None
    expected_rows: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """What differs from the defaults, ready for JSON; the job keeps this."""
        return {
            option.name: getattr(self, option.name)
            for option in fields(self)
            if getattr(self, option.name) != option.default
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The options that `to_dict` gave. Raises `UnknownOption`: to leave one out could save
        what its uploader did not want."""
        known = dict(values)
        try:
            for name, kind in (("mode", Mode), ("on_error", OnError)):
                if name in known:
                    known[name] = kind(known[name])
            return cls(**known)
        except (TypeError, ValueError) as error:
            raise UnknownOption(str(error)) from error
