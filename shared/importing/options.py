"""The options of an import, as its uploader states them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

from shared.importing.errors import UnknownOption
from shared.roll_file.limits import ReadOptions
from shared.staging.merge import Mode


class OnError(StrEnum):
    """What happens to the good rows if others are rejected."""

    SKIP = "skip"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class ImportOptions(ReadOptions):
    """The conditions of an import, in addition to the options for reading the file.

    Every condition that an import must obey belongs here. An older worker rejects an option that it
    does not know, but it does not see a new column of the job.

    An import that breaks a condition fails, and the roll does not change:
    - `on_error` ABORT and any rejected row
    - more rejected rows than `max_rejected_percent` of all rows
    - a number of rows other than `expected_rows`, counting non-blank rows below the header
    """

    mode: Mode = Mode.UPSERT
    on_error: OnError = OnError.SKIP
    max_rejected_percent: float | None = None
    expected_rows: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what differs from the defaults, ready for JSON. The job stores this."""
        return {
            option.name: getattr(self, option.name)
            for option in fields(self)
            if getattr(self, option.name) != option.default
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build the options from the result of `to_dict`.

        Raises `UnknownOption`. To ignore an option could save what the uploader did not want.
        """
        options = dict(values)
        try:
            for name, kind in (("mode", Mode), ("on_error", OnError)):
                if name in options:
                    options[name] = kind(options[name])
            return cls(**options)
        except (TypeError, ValueError) as error:
            raise UnknownOption(str(error)) from error
