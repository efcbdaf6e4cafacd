"""A check of the campaign itself: it must fail on copies of the tree that break a promise."""

import shutil
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.campaign import ROOT, Plan, run

NOT_COPIED = (".git", ".venv", "var", "tests", "docs", "__pycache__", ".*_cache", ".env")
# Violations that only a broken promise causes, never a slow machine.
PROOF = frozenset(
    {"doubled", "stale write", "wrong report", "wrong voter", "defect", "ended by itself"}
)
FINISH = """\
        transitions.finish(
            claim,
            report.to_dict(),
            rejections.first_faults(),
            rejects_key=rejects_key,
            roll_version=roll_version(),
        )
"""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A deliberate bug: one exact replacement in one file."""

    name: str
    path: str
    original: str
    replacement: str


MUTANTS = (
    Mutant(
        "the attempt number fences nothing",
        "shared/jobs/claims.py",
        "            & (Job.attempts == self.attempt)\n",
        "",
    ),
    Mutant(
        "nothing fences an attempt",
        "shared/jobs/claims.py",
        "            & (Job.state == JobState.STARTED)\n"
        "            & (Job.attempts == self.attempt)\n",
        "",
    ),
    Mutant(
        "SUCCESS is written after the roll's commit",
        "shared/importing/pipeline.py",
        FINISH,
        textwrap.indent(textwrap.dedent(FINISH), "    "),
    ),
)


def show_sharpness(seed: int, storm_seconds: float, *, is_embedded: bool) -> bool:
    """Return whether an unchanged copy passes and every mutant fails. Prints a line for each."""
    is_sharp = True
    for mutant in (None, *MUTANTS):
        with _copied_tree(mutant) as tree:
            outcome = run(Plan(seed, storm_seconds, is_embedded, tree, is_pointed=True))
        kinds = Counter(violation.kind for violation in outcome.violations)
        is_right = bool(PROOF & kinds.keys()) if mutant else not kinds
        is_sharp &= is_right
        summary = ", ".join(f"{times} {kind}" for kind, times in kinds.items()) or "no violation"
        name = mutant.name if mutant else "unchanged"
        print(f"{'as it must be' if is_right else 'NOT SHARP':<15}{name}: {summary}", flush=True)
        if mutant is None:
            for violation in outcome.violations:
                print(f"    {violation.kind}: {violation.what}")
    return is_sharp


@contextmanager
def _copied_tree(mutant: Mutant | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="voter-mutant-") as name:
        tree = Path(name) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*NOT_COPIED))
        if mutant is not None:
            _break(tree, mutant)
        yield tree


def _break(tree: Path, mutant: Mutant) -> None:
    """Apply the mutant. Raises LookupError if the file no longer holds the text to replace."""
    path = tree / mutant.path
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.original) != 1:
        raise LookupError(f"{mutant.path} has changed; mend the mutant '{mutant.name}'")
    path.write_text(text.replace(mutant.original, mutant.replacement), encoding="utf-8")
