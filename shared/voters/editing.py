"""One voter's entry changed by hand, with the reason, beside the imports."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.audit import Action, record
from shared.database.connection import database
from shared.voters.counts import move, place_of
from shared.voters.history import Author, note_entries
from shared.voters.models import Voter
from shared.voters.roll import lock_roll, note_roll_changed

Stated = Mapping[str, Any]


def edit(
    student_id: str,
    stated: Stated,
    *,
    author: Author,
    check: Callable[[Voter], None] = lambda voter: None,
) -> Voter | None:
    """Bring a voter's entry to what is stated, by field; returns it as it is then.

    None when the roll has no such voter. `check` sees the entry that is about to change, while
    nobody else can change it, and may raise to leave it alone. An entry that says all of it already
    stays as it is, without a line in its history.
    """
    with database.atomic():
        lock_roll()
        voter: Voter | None = Voter.get_or_none(Voter.student_id == student_id)
        if voter is None:
            return None
        check(voter)
        changes = {name: new for name, new in stated.items() if getattr(voter, name) != new}
        if changes:
            note_entries(Voter.student_id == student_id, author)
            Voter.update(changes).where(Voter.student_id == student_id).execute()
            note_roll_changed()
            place = place_of(voter)
            for name, value in changes.items():
                setattr(voter, name, value)
            move(place, place_of(voter))
            record(Action.EDIT, student_id, detail=", ".join(changes))
    return voter
