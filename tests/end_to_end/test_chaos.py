"""A short chaos campaign with SQLite and the embedded broker. `make chaos` runs the long one.

Most of its time goes into restarting processes. On a busy machine it kills less and does not take
longer. The test therefore expects few kills, but exact results.
"""

import pytest

from chaos.campaign import ROOT, Plan, run
from chaos.sharpness import MUTANTS, Mutant
from chaos.storm import count_kills

JOBS = 6


def test_a_short_campaign_of_kills_breaks_no_promise() -> None:
    plan = Plan(seed=11, storm_seconds=12, is_embedded=True, drilled_jobs=JOBS)
    outcome = run(plan)
    assert [f"{found.kind}: {found.what}" for found in outcome.violations] == []
    assert count_kills(outcome.scene) >= 2
    assert len(outcome.scene.uploads) > JOBS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_still_matches_one_place_in_the_code(mutant: Mutant) -> None:
    assert (ROOT / mutant.path).read_text(encoding="utf-8").count(mutant.original) == 1
