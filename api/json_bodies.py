"""JSON bodies, with a refusal for those that Python cannot read though they are JSON."""

import json
from typing import Any

from flask import Request
from webargs.flaskparser import FlaskParser

from api.blueprint import Blueprint


class JsonParser(FlaskParser):
    """Webargs' parser; a number of thousands of digits and a body of thousands of brackets are
    faults of the request to it, and no defects of ours."""

    def _raw_load_json(self, req: Request) -> Any:
        try:
            return super()._raw_load_json(req)
        except json.JSONDecodeError:
            raise
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError(type(error).__name__, "unreadable", 0) from error


class JsonBlueprint(Blueprint):
    """A blueprint whose views take JSON."""

    ARGUMENTS_PARSER = JsonParser()
