"""The shell blocks of README and tutorial run unchanged and print what the pages show.

Only the port differs. `make run` runs meanwhile.
"""

import os
import re
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.deployment import copy_code
from tests.support.running import BIN, ROOT, answers, wait_for
from tests.support.services import free_port

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The fixture starts the first. Other tests check that both targets exist.
STARTED_OTHERWISE = ("make run\n", "make test\n")
BETWEEN = "=== next block ==="
# Ids and times differ in each run.
CHANGING = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """The folder of a clone in which `make run` runs, and the port of its pages."""
    folder = tmp_path_factory.mktemp("clone")
    copy_code(folder)
    (folder / ".venv").symlink_to(BIN.parent)
    port = free_port()
    settings = {"PORT": str(port), "EMAIL_PORT": str(free_port())}
    running = subprocess.Popen(
        ["make", "run"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **settings},
        start_new_session=True,
    )
    try:
        wait_for(lambda: answers(port), "`make run` does not answer")
        yield folder, port
    finally:
        # As a terminal does for Ctrl-C.
        os.killpg(running.pid, signal.SIGINT)
        running.wait(20)
        wait_for(lambda: not is_there(running.pid), "Ctrl-C leaves processes behind")


@pytest.mark.parametrize("page", ["docs/tutorial.md", "README.md"])
def test_every_shell_block_runs_and_prints_what_is_shown(
    clone: tuple[Path, int], page: str
) -> None:
    folder, port = clone
    start_over(folder)
    blocks, outputs = session((ROOT / page).read_text(encoding="utf-8"))
    done = run_blocks(blocks, folder, port)
    assert done.returncode == 0, done.stdout + done.stderr
    for block, shown, printed in zip(blocks, outputs, done.stdout.split(BETWEEN), strict=True):
        as_usual = printed.replace(f"127.0.0.1:{port}", "127.0.0.1:8000")
        assert not shown or is_as_shown(shown, as_usual), f"{block}printed\n{printed}"


def is_there(group: int) -> bool:
    """Whether a process group has a process left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def start_over(folder: Path) -> None:
    """Remove the roll and all mails, as after the first `make run`.

    Mails that are still due are waited for and removed, too.
    """
    wait_for(lambda: not mails_due(folder), "a report mail is not sent")
    subprocess.run(
        [BIN / "flask", "erase-roll", "--yes"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "DEBUG": "1"},
        check=True,
    )
    for mail in folder.glob("var/mail/*.eml"):
        mail.unlink()


def mails_due(folder: Path) -> int:
    """The number of report mails that are not sent yet."""
    with closing(sqlite3.connect(folder / "var/voters.db")) as database:
        query = "SELECT count(*) FROM outbox WHERE channel = 'mail' AND state = 'pending'"
        return int(database.execute(query).fetchone()[0])


def session(text: str) -> tuple[list[str], list[str]]:
    """The shell blocks of a page, and the output that the page shows after each, or ""."""
    fences = [(match[1], match[2], match.start(), match.end()) for match in FENCE.finditer(text)]
    blocks, outputs = [], []
    for (kind, body, _, end), after in zip(fences, [*fences[1:], ("", "", -1, -1)], strict=True):
        if kind == "sh" and body not in STARTED_OTHERWISE:
            blocks.append(body)
            outputs.append(after[1] if after[0] == "" and after[2] == end + 1 else "")
    assert blocks
    return blocks, outputs


def run_blocks(blocks: list[str], folder: Path, port: int) -> "subprocess.CompletedProcess[str]":
    """Run all blocks in one shell, as a user types them."""
    script = f"\necho '{BETWEEN}'\n".join(blocks)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("localhost:8000", f"localhost:{port}")],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def is_as_shown(shown: str, printed: str) -> bool:
    """Whether a block printed what the page shows. A line `...` matches any lines."""
    lines = CHANGING.sub("*", shown.strip()).splitlines()
    pattern = "\n".join(".*" if line.strip() == "..." else re.escape(line) for line in lines)
    return re.fullmatch(pattern, CHANGING.sub("*", printed.strip()), re.DOTALL) is not None
