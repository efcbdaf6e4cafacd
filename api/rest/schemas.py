"""The common schemas and fields of the API. The OpenAPI document is made from them."""

from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, fields

TASK_ID = "7f9c24e5-2f6a-4c1b-9d55-0f4f3a4c2a10"
STATUS_URL = f"https://voters.example.edu/api/task-status/{TASK_ID}/"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def meaning(text: str, example: object) -> dict[str, object]:
    """Return the metadata of a field: what it means, and an example value."""
    return {"description": text, "example": example}


def time_field(text: str) -> fields.String:
    metadata = meaning(f"{text} RFC 3339, UTC.", "2026-01-31T09:30:00.125Z")
    return fields.String(allow_none=True, metadata={**metadata, "format": "date-time"})


def task_id_field(text: str) -> fields.String:
    return fields.String(allow_none=True, metadata={**meaning(text, TASK_ID), "format": "uuid"})


def count_field(text: str, example: int = 0) -> fields.Integer:
    return fields.Integer(metadata=meaning(text, example))


def counts_field(text: str, example: dict[str, int]) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(), values=fields.Integer(), metadata=meaning(text, example)
    )


class AnswerSchema(Schema):
    """The base of all responses. A later version may add fields, which clients should accept.

    Every field is always there, except those in `sometimes`, and the document says so.
    """

    sometimes: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        unknown = EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: "fields.Field[Any]") -> None:
        """Mark the field as required, so that a generated client need not check for it."""
        field_obj.required = field_name not in self.sometimes


class ErrorDetailsSchema(AnswerSchema):
    """The errors of a response, for a program."""

    sometimes = frozenset({"query", "json", "error_id"})

    code = fields.String(
        metadata=meaning("The cause of the error, see docs/codes.md.", "NOT_FOUND")
    )
    query = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata=meaning("Faults of query parameters.", {"year": ["Not a valid integer."]}),
    )
    json = fields.Dict(
        keys=fields.String(),
        metadata=meaning("Faults of the body's fields.", {"email": ["Not a valid string."]}),
    )
    error_id = fields.String(
        metadata=meaning("In an INTERNAL_ERROR only: an id that leads to the log.", "4f1d0c2a9b7e")
    )


class ErrorSchema(AnswerSchema):
    """A response that is not a success."""

    code = fields.Integer(metadata=meaning("The HTTP status.", 404))
    status = fields.String(metadata=meaning("The reason phrase of the status.", "Not Found"))
    message = fields.String(
        metadata=meaning("What went wrong, in a sentence.", "Nothing is at this URL."),
    )
    errors = fields.Nested(
        ErrorDetailsSchema,
        metadata={"description": "The code, and the faults of single parameters."},
    )
