"""Rows that meet each other, and rows that meet the roll."""

from rolls import ANN, ANN_ROW, BEN, BEN_ROW, HEADER, Roll, bare, voter

CONFLICT = "student_id", "CONFLICTING_ROWS"
IDS = "id,email\n"


def roll(name: str, rows: str, *voters: tuple, **more: object) -> Roll:  # type: ignore[type-arg]
    return Roll(name, (HEADER + rows).encode(), voters, **more)  # type: ignore[arg-type]


ROLLS = (
    roll("the same again", ANN_ROW + BEN_ROW, ANN, BEN, before=(ANN, BEN),
         counts={"unchanged": 2}),
    roll("one value changed", ANN_ROW.replace("Law", "Art"), voter("1", department="Art"),
         before=(ANN,), counts={"updated": 1}),
    roll("eligibility turned off", ANN_ROW.replace("yes", "no"), voter("1", is_eligible=False),
         before=(ANN,), counts={"updated": 1}),
    roll("a first year stated", ANN_ROW, ANN, before=(voter("1", year=None),),
         counts={"updated": 1}),
    roll("a blank cell keeps what is stored", "1,,,u1@x.edu,,,\n", ANN, before=(ANN,),
         counts={"unchanged": 1}),
    roll("a blank cell beside a changed one", "1,,Ash,u1@x.edu,,,\n", voter("1", last_name="Ash"),
         before=(ANN,), counts={"updated": 1}),
    Roll("an absent column keeps what is stored", (IDS + "1,new@x.edu\n").encode(),
         (voter("1", email="new@x.edu"),), before=(ANN,), counts={"updated": 1}),
    roll("voters who are not in the file stay", BEN_ROW, ANN, BEN, before=(ANN,),
         counts={"created": 1}),
    roll("the same row twice is one voter", ANN_ROW * 2, ANN,
         counts={"created": 1, "repeated": 1}, warnings={"REPEATED_ROW": 1}),
    roll("the same row three times, differently written",
         ANN_ROW + " 1 ,Ann ,Lee,u1@x.edu,Law,01,TRUE\n" + "1,Ann,Lee,u1@x.edu,Law,1.0,1\n", ANN,
         counts={"created": 1, "repeated": 2}, warnings={"REPEATED_ROW": 2}),
    roll("repeated and already on the roll", ANN_ROW * 2, ANN, before=(ANN,),
         counts={"unchanged": 1, "repeated": 1}, warnings={"REPEATED_ROW": 1}),
    roll("two rows contradict each other", ANN_ROW + ANN_ROW.replace("Law", "Art") + BEN_ROW, BEN,
         counts={"created": 1, "rejected": 2}, faults=((2, *CONFLICT), (3, *CONFLICT))),
    roll("a contradiction leaves the stored voter alone",
         ANN_ROW.replace("Lee", "Ash") + ANN_ROW.replace("Lee", "Elm"), ANN, before=(ANN,),
         counts={"rejected": 2}, faults=((2, *CONFLICT), (3, *CONFLICT))),
    roll("two of three are alike, and still nobody guesses",
         ANN_ROW * 2 + ANN_ROW.replace(",1,yes", ",2,yes"),
         counts={"rejected": 3},
         faults=((2, *CONFLICT), (3, *CONFLICT), (4, *CONFLICT))),
    roll("a value beside a blank is a contradiction", ANN_ROW + ANN_ROW.replace("Law", ""),
         counts={"rejected": 2}, faults=((2, *CONFLICT), (3, *CONFLICT))),
    roll("a bad row does not contradict a good one", ANN_ROW + "1,Ann,Lee,nobody,Law,1,yes\n", ANN,
         counts={"created": 1, "rejected": 1}, faults=((3, "email", "INVALID_EMAIL"),)),
    roll("ids differ in their leading zeros", ANN_ROW + ANN_ROW.replace("1,Ann", "01,Ann"),
         ANN, voter("01", email="u1@x.edu"), counts={"created": 2},
         warnings={"SHARED_EMAIL": 2}),
    roll("ids differ in their case",
         "a,Ann,Lee,ua@x.edu,Law,1,yes\nA,Ann,Lee,uA2@x.edu,Law,1,yes\n",
         voter("a"), voter("A", email="uA2@x.edu"), counts={"created": 2}),
    Roll("one address for two ids, in another case",
         (IDS + "1,same@x.edu\n2,SAME@x.edu\n3,u3@x.edu\n").encode(),
         (bare("1", "same@x.edu"), bare("2", "SAME@x.edu"), bare("3")),
         counts={"created": 3}, warnings={"SHARED_EMAIL": 2}),
    Roll("one address for two ids, in another case of its accents",
         (IDS + "1,émile@x.edu\n2,ÉMILE@X.EDU\n").encode(),
         (bare("1", "émile@x.edu"), bare("2", "ÉMILE@X.EDU")),
         counts={"created": 2}, warnings={"SHARED_EMAIL": 2}),
    Roll("everything rejected is no failure of the file", (IDS + "1,x\n2,\n").encode(),
         counts={"rejected": 2},
         faults=((2, "email", "INVALID_EMAIL"), (3, "email", "MISSING_FIELD"))),
    roll("created, updated, unchanged, repeated and rejected at once",
         ANN_ROW + BEN_ROW.replace("Art", "Law") + "3,C,D,u3@x.edu,Law,1,yes\n" * 2
         + "4,C,D,x,Law,1,yes\n\n",
         ANN, voter("2", "Ben", "Ray", year=2, is_eligible=False), voter("3", "C", "D"),
         before=(ANN, BEN),
         counts={"created": 1, "updated": 1, "unchanged": 1, "repeated": 1, "rejected": 1,
                 "blank_rows": 1},
         faults=((6, "email", "INVALID_EMAIL"),), warnings={"REPEATED_ROW": 1}),
)  # fmt: skip
