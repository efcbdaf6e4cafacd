"""What the voters' resources take and give."""

import unicodedata
from collections.abc import Callable
from enum import Enum
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load
from marshmallow.validate import Length, OneOf, Range

from api.cursors import MAX_CURSOR_CHARS
from api.query import PagedQuerySchema, storable
from api.schemas import TASK_ID, AnswerSchema, described
from shared.roll.fields import (
    MAX_CHARS,
    MAX_YEAR,
    MIN_YEAR,
    BadCell,
    read_eligibility,
    read_email,
    read_text,
    read_year,
)
from shared.roll.rows import Cell
from shared.roll.text import clean, forbidden_in_text
from shared.voters.queries import SORTS, Sought
from shared.voters.summary import MAX_DEPARTMENTS

MAX_SEARCH_CHARS = 254
MAX_REASON_CHARS = 500
# What `null` makes of a field that may be empty.
CLEARED = {"first_name": "", "last_name": "", "department": "", "year": None}


def _text_filter(field: str, text: str, example: str) -> fields.String:
    return fields.String(
        validate=[storable, Length(max=MAX_CHARS[field])], metadata=described(text, example)
    )


class VoterFilterSchema(Schema):
    """Which voters. A parameter that is not known is refused, not ignored."""

    q = fields.String(
        validate=[storable, Length(max=MAX_SEARCH_CHARS)],
        metadata=described(
            "The beginning or any other part of an id, an e-mail address or a name (first and last"
            " with one space between), in any case.",
            "okafor",
        ),
    )
    student_id = _text_filter("student_id", "The whole id.", "0012345")
    department = _text_filter("department", "The whole name, as the roll has it.", "Physics")
    year = fields.Integer(
        validate=Range(MIN_YEAR, MAX_YEAR), metadata=described("Year of study.", 2)
    )
    is_eligible = fields.Boolean(metadata=described("Whether the student may vote.", True))

    @post_load
    def _as_sought(self, parameters: dict[str, Any], **_: object) -> dict[str, Any]:
        """The text of the roll is NFC."""
        names = set(VoterFilterSchema._declared_fields)
        texts: dict[str, Any] = {
            name: unicodedata.normalize("NFC", value) if isinstance(value, str) else value
            for name, value in parameters.items()
            if name in names
        }
        others = {name: value for name, value in parameters.items() if name not in names}
        return {**others, "sought": Sought(**texts)}


class VoterQuerySchema(VoterFilterSchema, PagedQuerySchema):
    """What to look for, in which order, and from where on."""

    sort = fields.String(
        load_default="student_id",
        validate=OneOf(SORTS),
        metadata=described(
            "A leading `-` turns the order round; equals are in the order of their ids, unknown"
            " years last.",
            "last_name",
        ),
    )
    after = fields.String(
        validate=Length(max=MAX_CURSOR_CHARS),
        metadata=described(
            "A cursor in the place of `page`: `next` of `X-Pagination`, or empty to begin. Nothing"
            " is counted then, and each page is as fast as the first.",
            "",
        ),
    )


class _Blank(Enum):
    """What a blank cell states."""

    NOTHING = "nothing"


class CellField(fields.Field):  # type: ignore[type-arg]
    """A value that means what the same cell of a file means: a text, a number or true/false."""

    def __init__(
        self, read: Callable[[Cell], object], kind: str, metadata: dict[str, Any], **more: Any
    ) -> None:
        super().__init__(metadata={**metadata, "type": kind}, **more)
        self._read = read

    def _deserialize(self, value: Any, *_: object, **__: object) -> object:
        if not isinstance(value, str | int | float):
            raise ValidationError("Give a text, a number, or true or false.")
        try:
            read = self._read(value)
        except BadCell as bad:
            raise ValidationError(f"{bad.code}: {bad.message}") from None
        return _Blank.NOTHING if read in (None, "") else read


def _stated(field: str, example: str) -> dict[str, Any]:
    """The metadata of a text of a voter."""
    return {**described("As a file may hold it.", example), "maxLength": MAX_CHARS[field]}


class VoterChangeSchema(Schema):
    """The fields to change, each meaning what a cell of a file means, and why.

    A field that is left out, or holds a blank text, states nothing: the voter keeps what is
    stored. `null` clears a field that may be empty.
    """

    error_messages = {  # noqa: RUF012 - declared by marshmallow
        "unknown": "This is no field of a voter that can be changed."
    }

    first_name = CellField(
        read_text("first_name"), "string", allow_none=True, metadata=_stated("first_name", "Amina")
    )
    last_name = CellField(
        read_text("last_name"), "string", allow_none=True, metadata=_stated("last_name", "Okafor")
    )
    email = CellField(read_email, "string", metadata=_stated("email", "a.o@uni.example"))
    department = CellField(
        read_text("department"), "string", allow_none=True, metadata=_stated("department", "Law")
    )
    year = CellField(
        read_year,
        "integer",
        allow_none=True,
        metadata={
            **described("Year of study, 1 to 12.", 3),
            "minimum": MIN_YEAR,
            "maximum": MAX_YEAR,
        },
    )
    is_eligible = CellField(
        read_eligibility,
        "boolean",
        metadata=described("Or yes/no, as in files.", True),
    )
    reason = fields.String(
        required=True,
        validate=Length(max=MAX_REASON_CHARS),
        metadata=described("Why, for the history.", "The registrar's letter of 3 November."),
    )

    @post_load
    def _as_change(self, given: dict[str, Any], **_: object) -> dict[str, Any]:
        reason = clean(given.pop("reason"))
        if not reason or forbidden_in_text(reason):
            raise ValidationError("Say in plain text why the entry changes.", "reason")
        stated = {
            name: CLEARED[name] if value is None else value
            for name, value in given.items()
            if value is not _Blank.NOTHING
        }
        if not stated:
            raise ValidationError("State at least one field of the voter; a blank states nothing.")
        return {"reason": reason, "stated": stated}


class DifferenceSchema(AnswerSchema):
    """One field of a change."""

    field = fields.String(metadata=described("Its name.", "department"))
    before = fields.Raw(allow_none=True, metadata=described("What it was.", "Physics"))
    after = fields.Raw(allow_none=True, metadata=described("What it became.", "Mathematics"))


class ChangeSchema(AnswerSchema):
    """One change of a voter's entry."""

    changed_at = fields.String(
        metadata={
            **described("When; RFC 3339, UTC.", "2026-01-31T09:30:00.125Z"),
            "format": "date-time",
        }
    )
    changed_by = fields.String(metadata=described("Whose token it was.", "registrar"))
    reason = fields.String(
        metadata=described("Why; empty for an import.", "The registrar's letter of 3 November.")
    )
    job_id = fields.String(
        allow_none=True,
        metadata={
            **described("The import that did it, if any.", TASK_ID),
            "format": "uuid",
        },
    )
    changes = fields.List(
        fields.Nested(DifferenceSchema), metadata={"description": "What changed, field by field."}
    )


def _count(text: str, example: int) -> fields.Integer:
    return fields.Integer(metadata=described(text, example))


class DepartmentSchema(AnswerSchema):
    """The voters of one department."""

    department = fields.String(metadata=described("Empty when never stated.", "Physics"))
    voters = _count("Voters of the department.", 1200)
    eligible = _count("Those of them who may vote.", 1100)


class YearSchema(AnswerSchema):
    """The voters of one year of study."""

    year = fields.Integer(allow_none=True, metadata=described("Null when never stated.", 2))
    voters = _count("Voters of the year.", 900)
    eligible = _count("Those of them who may vote.", 850)


class SummarySchema(AnswerSchema):
    """The roll in figures, all of one moment."""

    voters = _count("All voters of the roll.", 5400)
    eligible = _count("Those of them who may vote.", 5000)
    departments = _count("How many departments there are.", 12)
    by_department = fields.List(
        fields.Nested(DepartmentSchema),
        metadata={"description": f"The largest {MAX_DEPARTMENTS:,} departments, largest first."},
    )
    by_year = fields.List(
        fields.Nested(YearSchema), metadata={"description": "In order, the unknown year last."}
    )
