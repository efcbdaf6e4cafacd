"""LibreOffice opens the written files: no cell becomes a formula, and no value changes."""

import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from shared.roll_file.errors import RowCode, RowError
from shared.roll_file.fields import VoterRow
from shared.roll_file.writing.csv_export import csv_blocks
from shared.roll_file.writing.rejects import RejectsWriter
from shared.roll_file.writing.template import csv_template, xlsx_template
from shared.roll_file.writing.xlsx_export import xlsx_blocks

pytestmark = pytest.mark.service

ATTACKS = [
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "y;=1+1", "y\t=1+1", "y|=1+1", "y,=1+1", "y\n=1+1",
    'y;"=1+1"', '"=1+1"', " =1+1", "\uff1d1+1", "y;-1+1;+1", '=HYPERLINK("http://x.example","x")',
]  # fmt: skip
# Ids that a program changes if it takes them for numbers or dates.
IDS = ["0012345", "1E5", "3-4", "12345678901234567890", "1.5", "MAR1", "3.4.2020", "1,5"]
VOTERS: list[VoterRow] = [
    (student_id, attack, attack, "a|=b@x.edu", attack, 3, True)
    for student_id, attack in zip(IDS * 2, ATTACKS, strict=False)
]
ENGLISH, GERMAN = 1033, 1031
# Separators as LibreOffice's import options: only the comma, and all others.
SEPARATORS = {"comma": "44", "others": "59/9/124"}
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
GERMAN_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse">
<value>de-DE</value></prop></item></oor:items>"""
CONVERT_SECONDS = 240


class Shown(NamedTuple):
    """A cell as LibreOffice stores it."""

    text: str
    kind: str
    formula: str | None


def rejects_file() -> str:
    file = StringIO(newline="")
    writer = RejectsWriter(file, ("id", "=1+1", "email"))
    for line, attack in enumerate(ATTACKS, start=2):
        fault = RowError(line, "=1+1", RowCode.EXCEL_ERROR, "", "Fix it.")
        writer.write(line, [IDS[line % len(IDS)], attack, "x"], [fault, fault])
    return file.getvalue()


@pytest.fixture(scope="module")
def folder_of_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every kind of file that users open."""
    folder = tmp_path_factory.mktemp("libreoffice")
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(GERMAN_PROFILE, encoding="utf-8")
    (folder / "export.csv").write_bytes(b"".join(csv_blocks(VOTERS)))
    (folder / "rejects.csv").write_bytes(rejects_file().encode())
    (folder / "template.csv").write_bytes(csv_template())
    (folder / "export.xlsx").write_bytes(b"".join(xlsx_blocks(VOTERS)))
    (folder / "template.xlsx").write_bytes(xlsx_template())
    (folder / "formulas.csv").write_bytes(b"a;=1+1\n=1+1\n")
    return folder


def opened(
    command: str, folder: Path, target: Path, kind: str, *options: str
) -> dict[str, list[list[Shown]]]:
    """The rows of all files of a kind, by name, as one run of LibreOffice reads them."""
    profile = f"-env:UserInstallation=file://{folder / 'profile'}"
    files = map(str, sorted(folder.glob(f"*.{kind}")))
    conversion = ("--convert-to", "fods", "--outdir", str(target), *files)
    subprocess.run(
        [command, profile, "--headless", *options, *conversion],
        check=True,
        capture_output=True,
        timeout=CONVERT_SECONDS,
    )
    return {
        path.stem: list(rows_of(ElementTree.parse(path).getroot()))  # noqa: S314
        for path in target.glob("*.fods")
    }


def rows_of(document: ElementTree.Element) -> Iterator[list[Shown]]:
    for row in document.iter(f"{TABLE}table-row"):
        cells: list[Shown] = []
        for cell in row:
            text = "\n".join("".join(p.itertext()) for p in cell.iter(f"{TEXT}p"))
            kind = cell.get(f"{OFFICE}value-type", "")
            times = int(cell.get(f"{TABLE}number-columns-repeated", 1)) if text else 1
            cells += [Shown(text, kind, cell.get(f"{TABLE}formula"))] * times
        yield cells


def formulas(rows: list[list[Shown]]) -> list[Shown]:
    """The cells with a formula. LibreOffice itself stores true and false as formulas."""
    own = (None, "of:=TRUE()", "of:=FALSE()")
    return [cell for row in rows for cell in row if cell.formula not in own]


@pytest.mark.parametrize(
    ("separators", "language"), [("comma", ENGLISH), ("comma", GERMAN), ("others", GERMAN)]
)
def test_no_cell_of_a_csv_file_becomes_a_formula(
    libreoffice: str, folder_of_files: Path, tmp_path: Path, separators: str, language: int
) -> None:
    """With all import options on: LibreOffice recognises numbers and dates, and runs formulas."""
    options = f"{SEPARATORS[separators]},34,76,1,,{language},false,true,false,false,false,0,true"
    found = opened(libreoffice, folder_of_files, tmp_path, "csv", f"--infilter=CSV:{options}")
    assert len(formulas(found.pop("formulas"))) == (1 if separators == "comma" else 2)
    assert set(found) >= {"export", "rejects", "template"}
    assert {name: formulas(rows) for name, rows in found.items()} == {name: [] for name in found}
    if separators == "comma":
        ids = [row[0] for row in found["export"][1 : len(VOTERS) + 1]]
        assert [cell.text.removeprefix("'") for cell in ids] == [voter[0] for voter in VOTERS]
        assert {cell.kind for cell in ids} == {"string"}


def test_no_cell_of_a_workbook_becomes_a_formula_or_a_number(
    libreoffice: str, folder_of_files: Path, tmp_path: Path
) -> None:
    found = opened(libreoffice, folder_of_files, tmp_path, "xlsx")
    for name in ("export", "template"):
        assert formulas(found[name]) == []
    rows = found["export"][1 : len(VOTERS) + 1]
    assert [row[0].text for row in rows] == [voter[0] for voter in VOTERS]
    assert {cell.kind for row in rows for cell in row[:5]} == {"string"}
