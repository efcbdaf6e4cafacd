"""`make audit` fails for findings of pip-audit, and also if there is no answer."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from dev.vulnerabilities import UNANSWERED, VULNERABLE, main

ADVISORY = {
    "id": "PYSEC-2099-1",
    "summary": "",
    "published": "2099-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "leaky", "ecosystem": "PyPI"},
            "versions": ["1.0"],
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


class Advisories(BaseHTTPRequestHandler):
    """A server with OSV's API and one advisory."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_leaky = asked["package"]["name"] == "leaky"
        body = json.dumps({"vulns": [ADVISORY]} if is_leaky else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """The advisory service that pip-audit asks."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Advisories) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}/v1/query")
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def requirements_file(tmp_path: Path) -> str:
    file = tmp_path / "pinned.txt"
    file.write_text(f"sound==2.0 --hash=sha256:{'0' * 64}\nleaky==1.0 --hash=sha256:{'1' * 64}\n")
    return str(file)


@pytest.mark.usefixtures("service")
def test_a_known_vulnerability_fails_the_audit_and_is_named(
    requirements_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--unless-out-of-reach", requirements_file]) == VULNERABLE
    assert capsys.readouterr().out == "leaky 1.0: PYSEC-2099-1 (fixed in 1.1)\n"


def test_an_audit_without_an_answer_is_not_taken_for_a_good_one(
    service: ThreadingHTTPServer, requirements_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    service.shutdown()
    service.server_close()
    assert main([requirements_file]) == UNANSWERED
    assert capsys.readouterr().out.startswith("NOT AUDITED: ")
    assert main(["--unless-out-of-reach", requirements_file]) == 0
    assert capsys.readouterr().out.startswith("NOT AUDITED: ")
