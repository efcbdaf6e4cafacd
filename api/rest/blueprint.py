"""Flask-Smorest's blueprint, with conditional requests as RFC 9110 defines them."""

from typing import Any

from flask import Response, after_this_request, request
from flask_smorest import Blueprint as SmorestBlueprint
from flask_smorest.exceptions import NotModified
from marshmallow import Schema


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """A resource of the API.

    It corrects two bugs of Flask-Smorest 0.47. That version answers 304 without the tag (RFC 9110,
    section 15.4.5). It also does not recognise a tag after a proxy has made it weak by compressing
    the response (section 13.1.2).
    """

    def client_knows(self, answer: object, schema: type[Schema]) -> bool:
        """Whether the client has sent the tag that this response would get."""
        document: Any = schema().dump(answer)
        return request.if_none_match.contains_weak(self._generate_etag(document))

    def _check_not_modified(self, etag: str) -> None:
        is_read = request.method in self.METHODS_CHECKING_NOT_MODIFIED
        if not is_read or not request.if_none_match.contains_weak(etag):
            return

        @after_this_request
        def tag(response: Response) -> Response:
            response.set_etag(etag)
            return response

        raise NotModified
