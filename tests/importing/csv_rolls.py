"""Files about CSV: encodings, delimiters, line ends and quotes."""

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

BOTH = HEADER + ANN_ROW + BEN_ROW
ZOE = voter("3", "Zoë", "Núñez")
ACCENTS = HEADER + "3,Zoë,Núñez,u3@x.edu,Law,1,yes\n"
ASSUMED = {"ENCODING_ASSUMED": 1}
SHORT = "id;email\n"

ROLLS = (
    saved("UTF-8", BOTH, ANN, BEN),
    saved("UTF-8 with BOM", "\ufeff" + ACCENTS, ZOE),
    saved("UTF-16 little endian", b"\xff\xfe" + ACCENTS.encode("utf-16-le"), ZOE),
    saved("UTF-16 big endian", b"\xfe\xff" + ACCENTS.encode("utf-16-be"), ZOE),
    saved("Windows-1252", ACCENTS.encode("cp1252"), ZOE, warnings=ASSUMED),
    saved(
        "Windows-1252, told by a late byte alone",
        (HEADER + "".join(f"{n},Ann,Lee,u{n}@x.edu,Law,1,yes\n" for n in range(100, 400))).encode()
        + "3,Zoë,Núñez,u3@x.edu,Law,1,yes\n".encode("cp1252"),
        ZOE,
        *(voter(str(n)) for n in range(100, 400)),
        warnings=ASSUMED,
    ),
    saved("semicolons", BOTH.replace(",", ";"), ANN, BEN),
    refused(
        "UTF-8 with a damaged byte",
        ACCENTS.encode() + b"4,Zo\xeb,Lee,u4@x.edu,Law,1,yes\n",
        FileCode.ENCODING_ERROR,
        "Line 3",
    ),
    saved(
        "Windows-1252 in which a capital with an accent and a no-break space are good UTF-8",
        "id,email,last_name,department\n1,u1@x.edu,Müller,FACULTÉ\u00a0DES\n".encode("cp1252"),
        ("1", "", "Müller", "u1@x.edu", "FACULTÉ\u00a0DES", None, False),
        warnings=ASSUMED,
    ),
    saved(
        "Windows-1252 with a no-break space at the end of a cell",
        "id,email,last_name\n1,u1@x.edu,JOSÉ\u00a0\n2,u2@x.edu,Peña\n".encode("cp1252"),
        ("1", "", "JOSÉ", "u1@x.edu", "", None, False),
        ("2", "", "Peña", "u2@x.edu", "", None, False),
        warnings=ASSUMED,
    ),
    saved(
        "Windows-1252 with a dash behind a letter",
        "id,email,last_name\n1,u1@x.edu,Strauß–Kahn\n2,u2@x.edu,Müller\n".encode("cp1252"),
        ("1", "", "Strauß–Kahn", "u1@x.edu", "", None, False),
        ("2", "", "Müller", "u2@x.edu", "", None, False),
        warnings=ASSUMED,
    ),
    refused(
        "two files in different encodings, joined",
        ACCENTS.encode() + ACCENTS.encode("cp1252"),
        FileCode.ENCODING_ERROR,
        "Line 4",
    ),
    refused(
        "UTF-16 without BOM", BOTH.encode("utf-16-le"), FileCode.UNSUPPORTED_FORMAT, "UTF-16"
    ),
    saved("UTF-16 without BOM, stated", BOTH.encode("utf-16-le"), ANN, BEN,
          options={"encoding": "utf-16-le"}),
    saved("the end of a file as DOS marks it", BOTH + "\x1a", ANN, BEN),
    saved("two files with BOM, joined", "\ufeff" + HEADER + ANN_ROW + "\ufeff" + HEADER + BEN_ROW,
          ANN, BEN, warnings={"REPEATED_HEADER": 1}),
    saved(
        "two files with BOM and quotes, the second without a header",
        f"\ufeff{HEADER}{ANN_ROW}\ufeff" + '"2","Ben","Ray","u2@x.edu","Art","2","no"\n',
        ANN,
        BEN,
    ),
    saved("tabs", BOTH.replace(",", "\t"), ANN, BEN),
    saved("pipes", BOTH.replace(",", "|"), ANN, BEN),
    saved("a line that states the delimiter", "sep=;\n" + BOTH.replace(",", ";"), ANN, BEN),
    saved("an unusual delimiter, stated", "sep=^\n" + BOTH.replace(",", "^"), ANN, BEN),
    saved("CRLF", BOTH.replace("\n", "\r\n"), ANN, BEN),
    saved("CR alone", BOTH.replace("\n", "\r"), ANN, BEN),
    saved("mixed line ends", HEADER + ANN_ROW.replace("\n", "\r\n") + BEN_ROW, ANN, BEN),
    saved("no line end at the end", BOTH.rstrip(), ANN, BEN),
    saved("quotes around everything", '"id","email"\n"1","u1@x.edu"\n', bare("1")),
    saved("a comma in quotes", HEADER + '1,Ann,"Lee, Jr.",u1@x.edu,Law,1,yes\n',
          voter("1", last_name="Lee, Jr.")),
    saved("quotes within quotes", HEADER + '1,"Ann ""Annie""",Lee,u1@x.edu,Law,1,yes\n',
          voter("1", 'Ann "Annie"')),
    saved("a blank before a quote", HEADER + '1, "Ann",Lee,u1@x.edu,Law,1,yes\n', ANN),
    Roll(
        "a quoted line break, and a fault below it keeps its physical line",
        (HEADER + '1,"Ann\nMay",Lee,u1@x.edu,Law,1,yes\n2,Ben,Ray,nobody,Art,2,no\n').encode(),
        (voter("1", "Ann\nMay"),),
        counts={"created": 1, "rejected": 1},
        faults=((4, "email", "INVALID_EMAIL"),),
    ),
    saved(
        "an address in several lines, with as many commas as rows would have",
        'id,email,address\n1,u1@x.edu,"1 High St\nOxford, OX1, UK"\n',
        bare("1"),
    ),
    saved(
        "a department in two lines, with a comma in the last column",
        'id,email,department\n1,u1@x.edu,"Faculty of Law\nPublic, Private Law"\n',
        ("1", "", "", "u1@x.edu", "Faculty of Law\nPublic, Private Law", None, False),
    ),
    saved(
        "a department in two lines, with a semicolon in the last column",
        'id;email;department\n1;u1@x.edu;"Law\nPublic; Private"\n',
        ("1", "", "", "u1@x.edu", "Law\nPublic; Private", None, False),
    ),
    saved(
        "a surname in two lines in front of the address and the id",
        'surname,email,id\n"Lee, Jr.\nthe third",u1@x.edu,1\n',
        ("1", "", "Lee, Jr.\nthe third", "u1@x.edu", "", None, False),
    ),
    saved("a first name in two lines with an at sign", HEADER
          + '1,"Ann\n(@ann, VP)",Lee,u1@x.edu,Law,1,yes\n', voter("1", "Ann\n(@ann, VP)")),
    saved("a department in two lines with a comma, within the row", HEADER
          + '1,Ann,Lee,u1@x.edu,"Law,\nCivil",1,yes\n', voter("1", department="Law,\nCivil")),
    saved(
        "a postal address in two lines and a second e-mail address",
        'id,email,address,parent_email\n1,u1@x.edu,"1 High St\nOxford",mum@x.org\n'
        '2,u2@x.edu,"2 Low St\nYork",\n',
        bare("1"),
        bare("2"),
    ),
    saved(
        "guardians and their e-mail addresses, a line each",
        'id,email,guardians\n1,u1@x.edu,"Mum, mum@x.org\nDad, dad@x.org"\n2,u2@x.edu,\n',
        bare("1"),
        bare("2"),
    ),
    saved("a note whose last line is an e-mail address",
          'email,id,notes\nu1@x.edu,1,"ask\nmum@x.org"\n', bare("1")),
    saved("line breaks at the ends of quoted cells",
          'id,email\n"1\n","u1@x.edu\n"\n"2","\nu2@x.edu"\n', bare("1"), bare("2")),
    saved("a note of forty lines", 'id,email,notes\n1,u1@x.edu,"' + "line\n" * 40 + '"\n',
          bare("1")),
    refused(
        "a row in a note",
        'id,email,notes\n1,u1@x.edu,"x\n2,u2@x.edu,y\nz"\n3,u3@x.edu,\n',
        FileCode.UNCLOSED_QUOTE,
        "line 2",
    ),
    Roll(
        "half a row in a name is a fault of its row alone",
        (HEADER + ANN_ROW + '3,"Cy\n4,u4@x.edu",Ray,u3@x.edu,Law,1,yes\n' + BEN_ROW).encode(),
        (ANN, BEN),
        counts={"created": 2, "rejected": 1},
        faults=((3, "", "COLUMN_COUNT"),),
    ),
    saved("an id that its program kept from Excel", 'id,email\n="007",u@x.edu\n',
          bare("007", "u@x.edu")),
    refused(
        "a quote that is never closed",
        HEADER + ANN_ROW + '2,"Ben,Ray,u2@x.edu,Art,2,no\n' + ANN_ROW * 5,
        FileCode.UNCLOSED_QUOTE,
        "line 3",
    ),
    refused(
        "two stray quotes far apart",
        HEADER
        + '1,"Ann,Lee,u1@x.edu,Law,1,yes\n'
        + "".join(f"{n},Ann,Lee,u{n}@x.edu,Law,1,yes\n" for n in range(10, 510))
        + '3,Cy",Fox,u3@x.edu,Law,1,yes\n',
        FileCode.UNCLOSED_QUOTE,
        "line 2",
    ),
    refused(
        "a stray quote above a cell that is honestly quoted",
        HEADER + '1,"Ann,Lee,u1@x.edu,Law,1,yes\n2,Ben,Ray,u2@x.edu,"Art, Law",2,no\n',
        FileCode.UNCLOSED_QUOTE,
        "line 2",
    ),
    refused(
        "a stray quote above a blank line and another one",
        HEADER + '1,Ann,Lee,u1@x.edu,"Law,1,yes\n\n2,Ben,Ray,u2@x.edu,Art",2,no\n',
        FileCode.UNCLOSED_QUOTE,
        "line 2",
    ),
    Roll(
        "text behind a closing quote is a fault of its row alone",
        (HEADER + ANN_ROW + '3,"A "B" C",B,u3@x.edu,Law,1,yes\n' + BEN_ROW).encode(),
        (ANN, BEN),
        counts={"created": 2, "rejected": 1},
        faults=((3, "", "COLUMN_COUNT"),),
    ),
    refused("nothing at all", b"", FileCode.EMPTY_FILE, "empty"),
    refused("white space alone", b"\xef\xbb\xbf \r\n\t\n", FileCode.EMPTY_FILE, "empty"),
    refused("a header alone", HEADER, FileCode.NO_ROWS, "no rows"),
    refused("a header and blank rows", HEADER + ",,,,,,\n\n", FileCode.NO_ROWS, "no rows"),
    refused("a PDF", b"%PDF-1.7\n1 0 obj", FileCode.UNSUPPORTED_FORMAT, "PDF"),
    refused("a web page", "<html><table><tr><td>id", FileCode.UNSUPPORTED_FORMAT, "web page"),
    saved("a title in angle brackets", "<Student roll>\nid,email\n1,u1@x.edu\n", bare("1")),
    refused("JSON", '[{"student_id": "1"}]', FileCode.UNSUPPORTED_FORMAT, "JSON"),
    refused("a line without an end", HEADER + "1," + "x" * (1 << 21), FileCode.LINE_TOO_LONG,
            "Line 2"),
)  # fmt: skip
