"""Flask-Smorest's blueprint, with conditional requests as RFC 9110 has them."""

from typing import Any

from flask import Response, after_this_request, request
from flask_smorest import Blueprint as SmorestBlueprint
from flask_smorest.exceptions import NotModified
from marshmallow import Schema


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """A resource of the API.

    Flask-Smorest 0.47 answers 304 without the tag (RFC 9110, section 15.4.5) and does not know a
    tag again that a proxy has made weak by compressing the answer (section 13.1.2).
    """

    def client_knows(self, answer: object, schema: type[Schema]) -> bool:
        """Whether the client has shown the tag that this answer would get."""
        dumped: Any = schema().dump(answer)
        return request.if_none_match.contains_weak(self._generate_etag(dumped))

    def _check_not_modified(self, etag: str) -> None:
        is_read = request.method in self.METHODS_CHECKING_NOT_MODIFIED
        if not is_read or not request.if_none_match.contains_weak(etag):
            return

        @after_this_request
        def tag(response: Response) -> Response:
            response.set_etag(etag)
            return response

        raise NotModified
