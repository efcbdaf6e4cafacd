"""The documents agree with the code."""

import os
import re
import subprocess

import pytest
import yaml

from api.rest.error_codes import ApiCode
from config.settings import PROJECT_ROOT, load_settings
from shared.importing.errors import NotPossibleCode
from shared.jobs import states
from shared.jobs.states import JobCode
from shared.roll_file.errors import DESCRIPTIONS, FileCode, RowCode, SignCode, WarningCode

ROOT = PROJECT_ROOT
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODES = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "config" / "settings.py").read_text(encoding="utf-8")
ENV_EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
PAGES = [
    file.read_text(encoding="utf-8")
    for pattern in ("*.md", "docs/**/*.md", ".github/**/*.md")
    for file in sorted(ROOT.glob(pattern))
]
# In a code span, or as a line of a code block.
MAKE = re.compile(r"(?:`|`[A-Z_]+=\w+ |^)make (\w+)(?=`|$)", re.MULTILINE)
MAX_README_LINES = 120

READ_VARIABLES = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS)) | set(
    re.findall(r'"([A-Z_]+_URL)"', SETTINGS)
)
SETTINGS_READ = READ_VARIABLES | {"SECRET_KEY", "ALLOWED_HOSTS", "ADMIN_EMAIL"}


def test_every_code_is_explained_and_every_explained_code_exists() -> None:
    explained = re.findall(r"^\| `([A-Z_]+)`", CODES, re.MULTILINE)
    codes = [
        str(code)
        for kind in (RowCode, WarningCode, SignCode, FileCode, JobCode, ApiCode, NotPossibleCode)
        for code in kind
    ]
    assert sorted(explained) == sorted(codes)


def test_every_code_that_the_api_writes_out_is_explained() -> None:
    sources = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "api").glob("**/*.py"))
    written = set(re.findall(r'errors=\{"code": "([^"]+)"', sources))
    assert written <= set(re.findall(r"^\| `([A-Z_]+)`", CODES, re.MULTILINE))


def test_every_code_has_a_description_for_mails_and_openapi() -> None:
    assert set(DESCRIPTIONS) == {*RowCode, *WarningCode, *SignCode, *FileCode}


def test_the_example_of_an_env_file_names_no_unknown_setting() -> None:
    named = set(re.findall(r"^#?\s?([A-Z_]+)=", ENV_EXAMPLE, re.MULTILINE))
    assert named
    assert named <= SETTINGS_READ | {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL",
    }  # fmt: skip


def test_the_example_of_an_env_file_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = dict(re.findall(r"^#([A-Z_]+)=(.*)$", ENV_EXAMPLE, re.MULTILINE))
    for name in shown:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DEBUG", "1")
    defaults = load_settings(read_dotenv=False)
    for name, value in shown.items():
        # Development has other values for these two. No other setting may differ.
        if name not in ("DEBUG", "SECRET_KEY"):
            monkeypatch.setenv(name, value)
    assert load_settings(read_dotenv=False) == defaults


@pytest.mark.parametrize("target", sorted(set(MAKE.findall("\n".join(PAGES)))))
def test_every_make_target_of_a_page_exists(target: str) -> None:
    asked = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr


def test_every_count_of_the_campaign_that_is_named_exists() -> None:
    shown = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "chaos").glob("*.py"))
    named = re.findall(r"[Tt]he campaign: (`[^|]*`)", RELIABILITY)
    figures = {figure for names in named for figure in re.findall(r"`([^`]+)`", names)}
    assert figures
    assert [figure for figure in sorted(figures) if f'"{figure}' not in shown] == []


def test_the_states_of_the_explanation_are_those_of_the_code() -> None:
    row = re.compile(r"^\| ([A-Z, -]+?) *\| ([A-Z]+) *\| ", re.MULTILINE)
    explained = row.findall((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert explained
    assert explained == row.findall(states.__doc__ or "")


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= MAX_README_LINES


def test_the_workflow_runs_the_gate() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    steps = [step.get("run") for step in workflow["jobs"]["gate"]["steps"]]
    assert ".ci/run" in steps
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
