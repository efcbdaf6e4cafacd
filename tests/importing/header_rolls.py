"""Files about the header: the meaning of columns, and the place of the header."""

from shared.roll_file.errors import FileCode
from tests.importing.rolls import (
    ANN,
    ANN_ROW,
    BEN,
    BEN_ROW,
    HEADER,
    Roll,
    bare,
    refused,
    saved,
    voter,
)

ROWS = ANN_ROW + BEN_ROW
SHORT = "id,email\n1,u1@x.edu\n"
ABSENT = dict.fromkeys(("first_name", "last_name", "department", "year", "is_eligible"), 1)

ROLLS = (
    saved(
        "the registrar's own words",
        "Matric No,Given Name,Surname,E-mail,Faculty,Level,Eligible\n" + ROWS, ANN, BEN,
    ),
    saved(
        "other words of registrars",
        "Registration Number,Forename,Family Name,Email Address,Dept,Year of Study,"
        "Eligible to vote\n" + ROWS, ANN, BEN,
    ),
    saved("capitals and points", "STUDENT-ID,First.Name,LAST NAME,E MAIL,Dept.,YEAR,"
          "Is Eligible?\n" + ROWS, ANN, BEN),
    saved("full-width letters", "ＩＤ,first_name,last_name,ｅｍａｉｌ,department,year,is_eligible\n"
          + ROWS, ANN, BEN),
    saved("no separators", "StudentID,FirstName,LastName,EmailAddress,Department,Year,IsEligible\n"
          + ROWS, ANN, BEN),
    saved("blanks around the names", " id , email \n1,u1@x.edu\n", bare("1"), missing=ABSENT),
    saved("another order", "email,year,id\nu1@x.edu,1,1\n",
          ("1", "", "", "u1@x.edu", "", 1, False)),
    saved("id and address alone", SHORT, bare("1"), missing=ABSENT),
    saved("columns that nobody asked for", "id,email,phone,notes\n1,u1@x.edu,0123,x\n", bare("1")),
    saved("a column without a name", "id,,email\n1,x,u1@x.edu\n", bare("1")),
    saved("columns without a name behind the others, one of them filled here and there",
          "id,email,,\n1,u1@x.edu,note,\n2,u2@x.edu\n3,u3@x.edu,,\n4,u4@x.edu,,x\n",
          bare("1"), bare("2"), bare("3"), bare("4")),
    Roll(
        "a row that is wider than the line of the header",
        b"id,email,\n1,u1@x.edu,note\n2,u2@x.edu,note,x\n",
        (bare("1"),),
        counts={"created": 1, "rejected": 1},
        faults=((3, "", "COLUMN_COUNT"),),
    ),
    Roll(
        "a rejects file that a spreadsheet program has made wider keeps its cells too many",
        b"\xef\xbb\xbfid,email,_line,_errors,\r\n1,u1@x.edu,7,COLUMN_COUNT,x\r\n"
        b"2,u2@x.edu,8,COLUMN_COUNT,\r\n",
        (bare("2"),),
        counts={"created": 1, "rejected": 1},
        faults=((2, "", "COLUMN_COUNT"),),
    ),
    saved("words of forms, with what may be several and what is required",
          "Student ID (required),First Name(s),Surname(s),Email (required),Dept,Current Year,"
          "Eligible (Y/N)\n" + ROWS, ANN, BEN),
    *(saved(f"names of some forms: {name}", f"id,email,{name}\n1,u1@x.edu,Ann\n",
            ("1", "Ann", "", "u1@x.edu", "", None, False))
      for name in ("Forename(s)", "Given Name(s)")),
    *(saved(f"the id of some forms: {name}", f"{name},email\n1,u1@x.edu\n", bare("1"))
      for name in ("Student's ID", "Student\u2019s ID", "SID")),
    saved("trailing delimiters", "id,email,,\n1,u1@x.edu,,\n", bare("1")),
    saved("titles above the header", "University of X\n\nWinter term,2026\n" + SHORT, bare("1")),
    Roll(
        "a fault below titles keeps its line",
        b"Voter roll\n\nid,email\n1,u1@x.edu\n2,nobody\n",
        (bare("1"),),
        counts={"created": 1, "rejected": 1},
        faults=((5, "email", "INVALID_EMAIL"),),
    ),
    saved("the header in the twentieth row", "title\n" * 19 + SHORT, bare("1")),
    refused("the header in the twenty-first row", "title\n" * 20 + SHORT,
            FileCode.MISSING_COLUMNS, "first 20 rows"),
    saved("the header once more in the middle", HEADER + ANN_ROW + HEADER + BEN_ROW, ANN, BEN,
          warnings={"REPEATED_HEADER": 1}),
    saved("the header once more in other words and with other delimiters behind",
          HEADER + ANN_ROW
          + "Student ID,FIRST NAME,Surname,E-mail,Dept,Level,Eligible,,\n" + BEN_ROW, ANN, BEN,
          warnings={"REPEATED_HEADER": 1}),
    Roll(
        "another header with its columns in another order is a fault of its row",
        (HEADER + ANN_ROW
         + "first_name,student_id,last_name,email,department,year,is_eligible\n").encode(),
        (ANN,),
        counts={"created": 1, "rejected": 1},
        faults=((3, "email", "INVALID_EMAIL"), (3, "year", "INVALID_YEAR"),
                (3, "is_eligible", "INVALID_ELIGIBILITY")),
    ),
    refused("no address", "id,first_name\n1,Ann\n", FileCode.MISSING_COLUMNS, "email"),
    refused("no id", "email,phone\nu1@x.edu,1\n", FileCode.MISSING_COLUMNS, "student_id"),
    refused("the headers found are named", "id;Ort\n1;Ulm\n", FileCode.MISSING_COLUMNS, "Ort"),
    refused("a header that nobody knows", "Nummer;Ort\n1;Ulm\n", FileCode.MISSING_COLUMNS,
            "The service knows no header of the file."),
    refused("no header at all", ROWS, FileCode.MISSING_COLUMNS, "no header"),
    refused("two columns for one field", "id,Matric No,email\n1,1,u1@x.edu\n",
            FileCode.AMBIGUOUS_COLUMNS, "Matric No"),
    refused("two addresses", "id,email,E-mail Address\n1,u1@x.edu,u1@y.edu\n",
            FileCode.AMBIGUOUS_COLUMNS, "E-mail Address"),
    refused("a name that is only alike", "id,emial\n1,u1@x.edu\n", FileCode.MISSING_COLUMNS,
            "emial"),
    saved("a name that means something else", "id,email,status,name\n1,u1@x.edu,active,Ann\n",
          bare("1")),
    Roll(
        "a corrected rejects file",
        ("\ufeffid,email,first_name,_line,_errors\r\n1,u1@x.edu,'=Ann,7,email: INVALID_EMAIL\r\n"
         ).encode(),
        (voter("1", "=Ann", "", department="", year=None, is_eligible=False),),
        counts={"created": 1},
    ),
)  # fmt: skip
