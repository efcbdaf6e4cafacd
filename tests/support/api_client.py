"""A client of the application in the test's own process."""

import io
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

HEADER = b"student_id,first_name,last_name,email,department,year,is_eligible\n"
ROLL = HEADER + b"1,Ann,Lee,ann@x.edu,Law,3,yes\n"


class ApiClient:
    """Sends requests with a bearer token, or without one if `token` is empty."""

    def __init__(self, app: Flask, token: str) -> None:
        self._client = app.test_client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def send(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request. `headers` are added to the credential."""
        headers = {**self.headers, **options.pop("headers", {})}
        return self._client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.send("GET", path, **options)

    def upload(self, content: bytes, name: str = "roll.csv", **options: Any) -> TestResponse:
        """Upload a file as a form does."""
        data = {"file": (io.BytesIO(content), name)}
        return self.send("POST", "/api/upload/", data=data, **options)
