"""What the query strings of lists have in common."""

from marshmallow import Schema, pre_load

PAGE_PARAMETERS = ("page", "page_size")


class PagedQuerySchema(Schema):
    """The parameters of a list, without those by which Flask-Smorest itself cuts it into pages."""

    @pre_load
    def _without_page(self, parameters: dict[str, str], **_: object) -> dict[str, str]:
        return {name: parameters[name] for name in parameters if name not in PAGE_PARAMETERS}
