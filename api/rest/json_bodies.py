"""JSON bodies, with a refusal for those that Python cannot read though they are JSON."""

import json
from typing import Any

from flask import Request
from marshmallow import missing
from webargs.flaskparser import FlaskParser

from api.rest.blueprint import Blueprint


class JsonParser(FlaskParser):
    """Webargs' parser, to which these are faults of the request: a number of thousands of digits, a
    body of thousands of brackets, half of a surrogate pair."""

    def _raw_load_json(self, req: Request) -> Any:
        try:
            loaded = super()._raw_load_json(req)
            # Neither a database nor an answer that quotes it can hold such a half.
            if loaded is not missing:
                json.dumps(loaded, ensure_ascii=False).encode()
        except json.JSONDecodeError:
            raise
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError(type(error).__name__, "unreadable", 0) from error
        return loaded


class JsonBlueprint(Blueprint):
    """A blueprint whose views take JSON."""

    ARGUMENTS_PARSER = JsonParser()
