"""A client that openapi-python-client makes from the OpenAPI document is sufficient."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.support.running import ROOT, Service, running_service

SAMPLE = ROOT / "samples" / "roll.csv"
NAME = "voter_client"
WAIT_SECONDS = 20


def generate(service: Service, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Generate the client as docs/api.md says, from the document of a running service."""
    document = folder / "openapi.json"
    with urlopen(f"{service.url}/api/openapi.json", timeout=10) as answer:
        document.write_bytes(answer.read())
    return subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"),
            *("--path", document, "--config", ROOT / "docs" / "openapi-python-client.yaml"),
            *("--meta", "none", "--output-path", folder / NAME),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_generated_client_uploads_waits_and_reads_the_roll(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_service(tmp_path) as service:
        made = generate(service, tmp_path)
        assert made.returncode == 0, made.stdout
        assert "warning" not in (made.stdout + made.stderr).lower()
        assert {file.stem for file in tmp_path.glob(f"{NAME}/api/*/*.py")} >= named(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)

        client = import_module(NAME).AuthenticatedClient(service.url, service.token, timeout=30)
        with client, SAMPLE.open("rb") as file:
            form = module("models").UploadBody(module("types").File(file, SAMPLE.name))
            accepted = module("api.upload.upload").sync(client=client, body=form)
            task = module("api.task_status.task_status").sync(
                accepted.task_id, client=client, wait=WAIT_SECONDS
            )
            assert task.state.value == "SUCCESS"
            read = module("api.voters.voters").sync(client=client, page_size=5, q="okafor")
            workbook = module("api.voter_exports.voter_exports_export_xlsx").sync(client=client)
    assert task.report.created + task.report.rejected + task.report.repeated == 400
    assert read
    assert {voter.last_name for voter in read} == {"Okafor"}
    assert workbook.payload.read(4) == b"PK\x03\x04"


def named(folder: Path) -> set[str]:
    """The operation ids of the document."""
    paths = json.loads((folder / "openapi.json").read_text())["paths"].values()
    return {
        operation["operationId"]
        for path_item in paths
        for operation in path_item.values()
        if "operationId" in operation
    }


def module(name: str) -> Any:
    """A module of the generated client."""
    return import_module(f"{NAME}.{name}")
