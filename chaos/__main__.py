"""`python -m chaos`: run the chaos campaign. Exit 0 if every promise held, 1 if not."""

import argparse
import logging
import sys
from collections import Counter
from pathlib import Path

from chaos.campaign import ROOT, Outcome, Plan, run
from chaos.sharpness import show_sharpness
from chaos.storm import count_kills, count_pauses

SHOWN_VIOLATIONS = 20
STORM_MINUTES = 6.0
SHARPNESS_MINUTES = 0.7


def main() -> int:
    """Run a campaign, print its counts and return the exit status of the process."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="of storm; the quiet follows")
    servers = parser.add_mutually_exclusive_group()
    servers.add_argument("--embedded", action="store_true", help="SQLite and the embedded broker")
    servers.add_argument("--deployed", action="store_true", help="private servers; the default")
    parser.add_argument("--pointed", action="store_true", help="only the sharpest events")
    parser.add_argument("--tree", type=Path, default=ROOT, help="whose service is tried")
    parser.add_argument("--sharpness", action="store_true", help="must fail on broken copies")
    parser.add_argument("--verbose", action="store_true", help="tell every event")
    arguments = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
    )
    logging.getLogger("mail").setLevel(logging.WARNING)
    # The campaign sends messages itself, also while it has made the broker unavailable.
    logging.getLogger("shared").setLevel(logging.ERROR)
    minutes = arguments.minutes or (SHARPNESS_MINUTES if arguments.sharpness else STORM_MINUTES)
    if arguments.sharpness:
        is_sharp = show_sharpness(arguments.seed, minutes * 60, is_embedded=arguments.embedded)
        return 0 if is_sharp else 1
    outcome = run(
        Plan(
            arguments.seed,
            minutes * 60,
            arguments.embedded,
            arguments.tree,
            arguments.pointed,
        )
    )
    print_figures(outcome)
    return 1 if outcome.violations else 0


def print_figures(outcome: Outcome) -> None:
    """Print the closing table, then the violations."""
    scene, evidence = outcome.scene, outcome.evidence
    kinds = Counter(violation.kind for violation in outcome.violations)
    imports = [job for job in evidence.jobs if job.report]
    waits = [(job.finished_at - job.created_at).total_seconds() for job in evidence.jobs
             if job.finished_at]  # fmt: skip
    figures = {
        "kills": count_kills(scene),
        "pauses beyond a lease": count_pauses(scene),
        **dict(scene.event_counts.most_common()),
        **scene.drill_results,
        "processes restarted": scene.fleet.restarts,
        "uploads accepted": len(scene.uploads),
        **{f"uploads answered {answer}": times for answer, times in scene.answers.items()},
        "jobs": len(evidence.jobs),
        "attempts": sum(job.attempts for job in evidence.jobs),
        "rows applied": sum(job.report["rows_read"] for job in imports),
        "voters": len(evidence.roll),
        "mails": evidence.mails.total(),
        "orphaned files swept": scene.swept_files,
        "lost": kinds["lost"] + kinds["unfinished"],
        "doubled": kinds["doubled"],
        "stale writes": kinds["stale write"],
        "slowest 202 (s)": round(scene.slowest_answer_seconds, 1),
        "of that in the web process (s)": round(evidence.slowest_upload_seconds, 1),
        "longest wait (s)": round(max(waits, default=0.0), 1),
        "violations": len(outcome.violations),
    }
    for name, figure in figures.items():
        print(f"{name:<40}{figure:>10,}")
    for violation in outcome.violations[:SHOWN_VIOLATIONS]:
        print(f"{violation.kind}: {violation.what}")


if __name__ == "__main__":
    sys.exit(main())
