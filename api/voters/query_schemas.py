"""The query parameters that choose the voters of a list or an export."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load
from marshmallow.validate import Length, OneOf, Range

from api.rest.cursors import MAX_CURSOR_CHARS
from api.rest.query import PagedQuerySchema, storable
from api.rest.schemas import meaning
from shared.roll_file.errors import TextTooLong
from shared.roll_file.fields import MAX_CHARS
from shared.roll_file.rows.cells import MAX_YEAR, MIN_YEAR
from shared.roll_file.rows.text import compose
from shared.voters.queries import SORTS, VoterFilter

MAX_SEARCH_CHARS = 254


def _text_filter(field: str, text: str, example: str) -> fields.String:
    return fields.String(
        validate=[storable, Length(max=MAX_CHARS[field])], metadata=meaning(text, example)
    )


def _compose(name: str, text: str) -> str:
    """Compose a text to NFC, as the roll stores it. A few texts become longer."""
    try:
        return compose(text, MAX_CHARS.get(name, MAX_SEARCH_CHARS))
    except TextTooLong:
        raise ValidationError("The text is too long.", name) from None


class VoterFilterSchema(Schema):
    """Filters of the roll. An unknown parameter is rejected, not ignored."""

    q = fields.String(
        validate=[storable, Length(max=MAX_SEARCH_CHARS)],
        metadata=meaning(
            "The beginning or any other part of an id, an email address or a name, in any"
            " case. A name is first and last name with one space between.",
            "okafor",
        ),
    )
    student_id = _text_filter("student_id", "The whole id.", "0012345")
    department = _text_filter("department", "The whole name, as the roll has it.", "Physics")
    year = fields.Integer(validate=Range(MIN_YEAR, MAX_YEAR), metadata=meaning("Year of study.", 2))
    is_eligible = fields.Boolean(metadata=meaning("Whether the student may vote.", True))

    @post_load
    def _as_filter(self, parameters: dict[str, Any], **_: object) -> dict[str, Any]:
        names = set(VoterFilterSchema._declared_fields)
        texts: dict[str, Any] = {
            name: _compose(name, value) if isinstance(value, str) else value
            for name, value in parameters.items()
            if name in names
        }
        others = {name: value for name, value in parameters.items() if name not in names}
        return {**others, "voter_filter": VoterFilter(**texts)}


class VoterQuerySchema(VoterFilterSchema, PagedQuerySchema):
    """The filters, the order and the start of a list of voters."""

    sort = fields.String(
        load_default="student_id",
        validate=OneOf(SORTS),
        metadata=meaning(
            "A leading `-` reverses the order. Equal values are in the order of their ids."
            " Unknown years are last.",
            "last_name",
        ),
    )
    after = fields.String(
        validate=Length(max=MAX_CURSOR_CHARS),
        metadata=meaning(
            "A cursor in place of `page`: `next` of `X-Pagination`, or empty for the first"
            " page. The service then counts nothing, and each page is as fast as the first.",
            "",
        ),
    )
