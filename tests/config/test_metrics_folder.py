"""Gunicorn removes the metrics folder of a killed one, and not the folder of a running one."""

import os
import subprocess
import sys
import time
from pathlib import Path

from config.metrics_folder import MIN_AGE_SECONDS, PREFIX, make_folder
from config.settings import PROJECT_ROOT

HOLDER = """
import sys
from pathlib import Path
from config.metrics_folder import make_folder
print(make_folder(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def test_only_an_abandoned_folder_is_removed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        held = Path(other.stdout.readline().strip())
        abandoned = tmp_path / f"{PREFIX}abandoned"
        just_made = tmp_path / f"{PREFIX}just-made"
        for folder in (abandoned, just_made):
            folder.mkdir()
        (abandoned / "counter_0.db").write_bytes(b"x")
        long_ago = time.time() - MIN_AGE_SECONDS - 1
        for folder in (held, abandoned):
            os.utime(folder, (long_ago, long_ago))
        own = Path(make_folder(tmp_path))
        assert {*tmp_path.iterdir()} == {held, just_made, own}
        other.kill()
    os.utime(held, (long_ago, long_ago))
    make_folder(tmp_path)
    assert not held.exists()
    assert own.exists()


def test_a_process_counts_in_the_file_of_its_number(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from config.metrics_folder import count_in_file, remove_folder, use_folder\n"
        "use_folder(sys.argv[1])\n"
        "count_in_file(3)\n"
        "from prometheus_client import Counter\n"
        "Counter('requests', 'Requests.').inc()\n"
    )
    folder = tmp_path / "counts"
    folder.mkdir()
    subprocess.run([sys.executable, "-c", program, str(folder)], cwd=PROJECT_ROOT, check=True)
    assert [path.name for path in folder.iterdir()] == ["counter_3.db"]
    subprocess.run(
        [sys.executable, "-c", f"{program}remove_folder()\n", str(folder)],
        cwd=PROJECT_ROOT,
        check=True,
    )
    assert not folder.exists()
