"""Edit one voter's entry by hand, with a reason."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.audit import Action, record
from shared.database.connection import database
from shared.voters.counts import group_of, move
from shared.voters.history import Author, note_entries
from shared.voters.models import Voter
from shared.voters.roll import lock_roll, note_roll_changed

NewValues = Mapping[str, Any]


def edit(
    student_id: str,
    values: NewValues,
    *,
    author: Author,
    check: Callable[[Voter], None] = lambda voter: None,
) -> Voter | None:
    """Set the stated fields of a voter's entry. Return the entry as it is afterwards.

    Returns None if the roll has no such voter. `check` gets the entry before the change, while no
    one else can change it, and may raise to prevent the change. An entry that has all these values
    already stays as it is, without a line in its history.
    """
    with database.atomic():
        lock_roll()
        voter: Voter | None = Voter.get_or_none(Voter.student_id == student_id)
        if voter is None:
            return None
        check(voter)
        changes = {name: new for name, new in values.items() if getattr(voter, name) != new}
        if changes:
            note_entries(Voter.student_id == student_id, author)
            Voter.update(changes).where(Voter.student_id == student_id).execute()
            note_roll_changed()
            place = group_of(voter)
            for name, value in changes.items():
                setattr(voter, name, value)
            move(place, group_of(voter))
            record(Action.EDIT, student_id, detail=", ".join(changes))
    return voter
