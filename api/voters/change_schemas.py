"""The schema of a correction, whose values mean what the cells of a file mean."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load
from marshmallow.validate import Length

from api.rest.schemas import meaning
from shared.roll_file.errors import BadCell, TextTooLong
from shared.roll_file.fields import MAX_CHARS
from shared.roll_file.rows.cells import (
    MAX_YEAR,
    MIN_YEAR,
    read_eligibility,
    read_email,
    read_text,
    read_year,
)
from shared.roll_file.rows.row import Cell
from shared.roll_file.rows.text import clean, forbidden_in_text
from shared.voters.models import empty_value

MAX_REASON_CHARS = 500


class _Blank(Enum):
    """What a blank cell states."""

    NOTHING = "nothing"


class CellField(fields.Field):  # type: ignore[type-arg]
    """A value that means what the same cell of a file means: a text, a number or true/false."""

    def __init__(
        self, read_cell: Callable[[Cell], object], kind: str, metadata: dict[str, Any], **more: Any
    ) -> None:
        super().__init__(metadata={**metadata, "type": kind}, **more)
        self._read = read_cell

    def _deserialize(self, value: Any, *_: object, **__: object) -> object:
        if not isinstance(value, str | int | float):
            raise ValidationError("Give a text, a number, or true or false.")
        try:
            field_value = self._read(value)
        except BadCell as bad:
            raise ValidationError(f"{bad.code}: {bad.message}") from None
        return _Blank.NOTHING if field_value in (None, "") else field_value


def _text_metadata(field: str, example: str) -> dict[str, Any]:
    """Return the metadata of a text field of a voter."""
    return {**meaning("A value as a file may have it.", example), "maxLength": MAX_CHARS[field]}


class VoterChangeSchema(Schema):
    """The fields to change, each with the meaning of a cell in a file, and the reason.

    A field that is missing, or holds a blank text, states nothing: the voter keeps what is stored.
    `null` clears a field that may be empty.
    """

    error_messages = {  # noqa: RUF012 - declared by marshmallow
        "unknown": "This is not a field of a voter that can be changed."
    }

    first_name = CellField(
        read_text("first_name"),
        "string",
        allow_none=True,
        metadata=_text_metadata("first_name", "Amina"),
    )
    last_name = CellField(
        read_text("last_name"),
        "string",
        allow_none=True,
        metadata=_text_metadata("last_name", "Okafor"),
    )
    email = CellField(read_email, "string", metadata=_text_metadata("email", "a.o@uni.example"))
    department = CellField(
        read_text("department"),
        "string",
        allow_none=True,
        metadata=_text_metadata("department", "Law"),
    )
    year = CellField(
        read_year,
        "integer",
        allow_none=True,
        metadata={
            **meaning("Year of study, 1 to 12.", 3),
            "minimum": MIN_YEAR,
            "maximum": MAX_YEAR,
        },
    )
    is_eligible = CellField(
        read_eligibility,
        "boolean",
        metadata=meaning("True or false, or yes/no as in files.", True),
    )
    reason = fields.String(
        required=True,
        validate=Length(max=MAX_REASON_CHARS),
        metadata=meaning("The reason, for the history.", "The registrar's letter of 3 November."),
    )

    @post_load
    def _as_change(self, values: dict[str, Any], **_: object) -> dict[str, Any]:
        try:
            reason = clean(values.pop("reason"), MAX_REASON_CHARS)
        except TextTooLong:
            raise ValidationError("The reason is too long.", "reason") from None
        if not reason or forbidden_in_text(reason):
            raise ValidationError("Say in plain text why the entry changes.", "reason")
        changes = {
            name: empty_value(name) if value is None else value
            for name, value in values.items()
            if value is not _Blank.NOTHING
        }
        if not changes:
            raise ValidationError(
                "State at least one field of the voter. A blank value states nothing."
            )
        return {"reason": reason, "values": changes}
