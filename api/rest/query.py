"""What the query parameters of lists and uploads have in common."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from flask_smorest.pagination import PaginationParameters
from marshmallow import Schema, ValidationError, fields, pre_load
from marshmallow.validate import Regexp
from peewee import ModelSelect

from api.middleware.forms import NUL

PAGE_PARAMETERS = ("page", "page_size")
# PostgreSQL cannot store a NUL character or compare with one. As a pattern, the rule is in the
# document.
storable = Regexp(r"^[^\x00]*$", error=NUL)

Query = TypeVar("Query", bound="ModelSelect[Any]")


class PagedQuerySchema(Schema):
    """The parameters of a list, without those that Flask-Smorest uses for its pages."""

    @pre_load
    def _without_page(self, parameters: dict[str, str], **_: object) -> dict[str, str]:
        return {name: parameters[name] for name in parameters if name not in PAGE_PARAMETERS}


class StoredTime(fields.AwareDateTime):
    """A time with a zone, converted to the form in the database: UTC without a zone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="iso", **options)

    def _deserialize(self, value: Any, *context: Any, **more: Any) -> datetime:
        moment = super()._deserialize(value, *context, **more)
        try:
            return moment.astimezone(UTC).replace(tzinfo=None)
        except OverflowError as error:
            raise ValidationError("Give a year from 2 to 9998.") from error


def page_of(query: Query, pagination: PaginationParameters) -> Query | None:
    """Return the rows of the requested page, or None beyond the last page. It counts all rows.

    A database fails on an offset that is too large.
    """
    pagination.item_count = query.count()
    if pagination.first_item >= pagination.item_count:
        return None
    return query.offset(pagination.first_item).limit(pagination.page_size)
