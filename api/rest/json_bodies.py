"""JSON bodies, with a rejection for valid JSON that Python cannot read."""

import json
from typing import Any

from flask import Request
from marshmallow import missing
from webargs.flaskparser import FlaskParser

from api.rest.blueprint import Blueprint


class JsonParser(FlaskParser):
    """Webargs' parser, which also treats unusable JSON as a fault of the request.

    This means a number of thousands of digits, a body of thousands of brackets, or half of a
    surrogate pair.
    """

    def _raw_load_json(self, req: Request) -> Any:
        try:
            body = super()._raw_load_json(req)
            # Neither a database nor a response that quotes the value can hold half of a surrogate
            # pair.
            if body is not missing:
                json.dumps(body, ensure_ascii=False).encode()
        except json.JSONDecodeError:
            raise
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError(type(error).__name__, "unreadable", 0) from error
        return body


class JsonBlueprint(Blueprint):
    """A blueprint whose views accept JSON."""

    ARGUMENTS_PARSER = JsonParser()
