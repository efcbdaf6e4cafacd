"""Files about one cell: what it may hold, and every fault that it may have."""

from tests.importing.rolls import ANN, ANN_ROW, HEADER, Roll, bare, rejected, saved, voter

IDS = "id,email\n"


def eligible(name: str, word: str, is_eligible: bool) -> Roll:
    row = f"1,Ann,Lee,u1@x.edu,Law,1,{word}\n"
    return saved(name, HEADER + row, voter("1", is_eligible=is_eligible))


def of_year(name: str, text: str, year: int | None) -> Roll:
    return saved(name, HEADER + f"1,Ann,Lee,u1@x.edu,Law,{text},yes\n", voter("1", year=year))


ROLLS = (
    saved("an id with leading zeros", IDS + "00042,u@x.edu\n", bare("00042", "u@x.edu")),
    saved("an id of letters and signs", IDS + "ab/12-3.4,u@x.edu\n", bare("ab/12-3.4", "u@x.edu")),
    saved("a long id as text keeps its digits", IDS + "12345678901234567890,u@x.edu\n",
          bare("12345678901234567890", "u@x.edu")),
    saved("an id that is a number with a fraction in CSV is text", IDS + "12.0,u@x.edu\n",
          bare("12.0", "u@x.edu")),
    rejected("an id in scientific notation", "1.23E+10,A,B,u3@x.edu,Law,1,yes\n",
             (3, "student_id", "ID_SCIENTIFIC")),
    rejected("an id in scientific notation with a comma", '"1,23E+10",A,B,u3@x.edu,Law,1,yes\n',
             (3, "student_id", "ID_SCIENTIFIC")),
    rejected("an id in scientific notation without a sign", "2.02301234E8,A,B,u3@x.edu,Law,1,yes\n",
             (3, "student_id", "ID_SCIENTIFIC")),
    rejected("an id in scientific notation without a fraction", "12E+3,A,B,u3@x.edu,Law,1,yes\n",
             (3, "student_id", "ID_SCIENTIFIC")),
    *(
        rejected(f"an id in scientific notation: {text}", f"{text},A,B,u3@x.edu,Law,1,yes\n",
                 (3, "student_id", "ID_SCIENTIFIC"))
        for text in ("20.23E+9", "123.5E+6", "1.E+10", "-1.23E+10", "+1.23E+10", "'1.23E+10",
                     '"20,23e+9"', "１.２３E+１０")
    ),
    rejected("an id with the apostrophe of a disarmed cell", "'00123,A,B,u3@x.edu,Law,1,yes\n",
             (3, "student_id", "STRAY_QUOTE")),
    saved("an id with an apostrophe within", IDS + "O'1,u@x.edu\n", bare("O'1", "u@x.edu")),
    saved("an id that has an E among its digits", IDS + "12E3,u@x.edu\n", bare("12E3", "u@x.edu")),
    rejected("an id with half of a pair of quotes", '3",A,B,u3@x.edu,Law,1,yes\n',
             (3, "student_id", "STRAY_QUOTE")),
    rejected("a blank id", ",A,B,u3@x.edu,Law,1,yes\n", (3, "student_id", "MISSING_FIELD")),
    rejected("an id of blanks", " \u00a0,A,B,u3@x.edu,Law,1,yes\n",
             (3, "student_id", "MISSING_FIELD")),
    rejected("a blank address", "3,A,B,,Law,1,yes\n", (3, "email", "MISSING_FIELD")),
    rejected("neither", ",A,B,,Law,1,yes\n", (3, "student_id", "MISSING_FIELD"),
             (3, "email", "MISSING_FIELD")),
    rejected("an address without a domain", "3,A,B,nobody,Law,1,yes\n",
             (3, "email", "INVALID_EMAIL")),
    rejected("two addresses in one cell", "3,A,B,a@x.edu; b@x.edu,Law,1,yes\n",
             (3, "email", "INVALID_EMAIL")),
    rejected("two at signs", "3,A,B,a@b@x.edu,Law,1,yes\n", (3, "email", "INVALID_EMAIL")),
    *(
        saved(f"an address with vowels around its letters: {address}", f"{IDS}1,{address}\n",
              bare("1", address))
        for address in ("संपर्क@डाटामेल.भारत", "ผู้ใช้@ตัวอย่าง.ไทย", "test@தமிழ்.இந்தியா",
                        "പരീക്ഷ@ഉദാഹരണം.ഭാരതം")
    ),
    rejected("an address with a mark that cannot be seen", "3,A,B,u\ufe0f3@x.edu,Law,1,yes\n",
             (3, "email", "INVALID_EMAIL")),
    rejected("a word for a year", "3,A,B,u3@x.edu,Law,Second,yes\n", (3, "year", "INVALID_YEAR")),
    rejected("a calendar year", "3,A,B,u3@x.edu,Law,2026,yes\n", (3, "year", "INVALID_YEAR")),
    rejected("half a year", "3,A,B,u3@x.edu,Law,2.5,yes\n", (3, "year", "INVALID_YEAR")),
    rejected("year nought", "3,A,B,u3@x.edu,Law,0,yes\n", (3, "year", "INVALID_YEAR")),
    rejected("year thirteen", "3,A,B,u3@x.edu,Law,13,yes\n", (3, "year", "INVALID_YEAR")),
    rejected("maybe", "3,A,B,u3@x.edu,Law,1,maybe\n", (3, "is_eligible", "INVALID_ELIGIBILITY")),
    rejected("every fault of a row is told", "1E+5,A,B,x,Law,99,perhaps\n",
             (3, "student_id", "ID_SCIENTIFIC"), (3, "email", "INVALID_EMAIL"),
             (3, "year", "INVALID_YEAR"), (3, "is_eligible", "INVALID_ELIGIBILITY")),
    rejected("a NUL in a name", "3,A\x00,B,u3@x.edu,Law,1,yes\n",
             (3, "first_name", "CONTROL_CHARACTER")),
    rejected("a zero-width space within an id", "3\u200b3,A,B,u3@x.edu,Law,1,yes\n",
             (3, "student_id", "CONTROL_CHARACTER")),
    rejected("a name that is too long", f"3,{'A' * 151},B,u3@x.edu,Law,1,yes\n",
             (3, "first_name", "FIELD_TOO_LONG")),
    rejected("an id that is too long", f"{'3' * 65},A,B,u3@x.edu,Law,1,yes\n",
             (3, "student_id", "FIELD_TOO_LONG")),
    rejected("an error of Excel as text", "3,#N/A,B,u3@x.edu,Law,1,yes\n",
             (3, "first_name", "EXCEL_ERROR")),
    rejected("a cell too many", "3,A,B,u3@x.edu,Law, Public,1,yes\n", (3, "", "COLUMN_COUNT")),
    rejected("a cell too few", "3,A,B,u3@x.edu\n", (3, "", "COLUMN_COUNT")),
    saved("blanks around every cell",
          HEADER + " 1 ,\tAnn,Lee\u00a0, u1@x.edu ,Law\u200b, 1 , yes \n", ANN),
    saved("signs of direction and soft hyphens around every cell",
          HEADER + "\u202a1\u202c,\u2068Ann\u2069,\u00adLee,\u202bu1@x.edu\u202c,\u202eLaw\u2066,"
          "\u20671\u2069,yes\u00ad\n", ANN),
    saved("a soft hyphen alone is blank", HEADER + "1,Ann,Lee,u1@x.edu,\u00ad,1,yes\n",
          voter("1", department="")),
    saved("letters composed of two signs", HEADER + "1,Zoe\u0308,Lee,u1@x.edu,Law,1,yes\n",
          voter("1", "Zo\u00eb")),
    saved("a name that looks like a formula", HEADER + "1,=Ann,Lee,u1@x.edu,Law,1,yes\n",
          voter("1", "=Ann")),
    *(eligible(f"eligible: {word}", word, True) for word in
      ("TRUE", "true", "Yes", "Y", "t", "1")),
    *(eligible(f"not eligible: {word}", word, False) for word in
      ("FALSE", "False", "NO", "n", "F", "0")),
    of_year("the last year", "12", 12),
    of_year("a year with a fraction of nothing", "3.0", 3),
    of_year("a year with a leading nought", "03", 3),
    saved(
        "blank cells of a new voter", HEADER + "1,,,u1@x.edu,,,\n", bare("1"),
        missing=dict.fromkeys(("first_name", "last_name", "department", "year", "is_eligible"), 1),
    ),
    Roll(
        "absent columns are missing in a row with a cell too many as well",
        b"id,email\n1,u1@x.edu\n2,u2@x.edu,x\n",
        (bare("1"),),
        counts={"created": 1, "rejected": 1},
        faults=((3, "", "COLUMN_COUNT"),),
        missing=dict.fromkeys(
            ("first_name", "last_name", "department", "year", "is_eligible"), 2),
    ),
    Roll("blank rows are no rows", (HEADER + "\n" + ANN_ROW + ",,,,,,\n \n").encode(), (ANN,),
         counts={"created": 1, "blank_rows": 3}),
)  # fmt: skip
