"""The form to upload a file."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    FloatField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.validators import Length, NumberRange, Optional

from api.jobs.upload_schemas import MAX_EXPECTED_ROWS
from shared.importing.options import ImportOptions, OnError
from shared.staging.merge import Mode

INTENTS = [
    SelectChoice("preview", "Preview first: show what would change. You can apply it later."),
    SelectChoice("apply", "Import now"),
]
MODES = [
    SelectChoice(Mode.UPSERT.value, "Create new voters and update those on the roll"),
    SelectChoice(Mode.CREATE_ONLY.value, "Only create new voters"),
    SelectChoice(Mode.UPDATE_ONLY.value, "Only update voters on the roll"),
]
DELIMITER_OF = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
# The choices have names, because a browser does not send a tab reliably.
DELIMITER_CHOICES = [
    SelectChoice("", "Detect automatically"),
    *(SelectChoice(name, name.capitalize()) for name in DELIMITER_OF),
]


class ImportForm(FlaskForm):  # type: ignore[misc]
    """A file, what to do with it, and the conditions of the import."""

    file = FileField("The registrar's file", [FileRequired("Choose a file.")])
    intent = RadioField("Action", choices=INTENTS, default="preview")
    mode = RadioField("Voters to write", choices=MODES, default=Mode.UPSERT.value)
    abort = BooleanField("Save nothing if any row is rejected")
    expected_rows = IntegerField(
        "The registrar's count of rows (a different count saves nothing)",
        [Optional(), NumberRange(0, MAX_EXPECTED_ROWS, "Give a whole number.")],
    )
    max_rejected_percent = FloatField(
        "Save nothing if more than this percentage of rows is rejected",
        [Optional(), NumberRange(0, 100, "Give a number from 0 to 100.")],
    )
    encoding = StringField("Encoding of a CSV file", [Optional(), Length(max=40)])
    delimiter = SelectField("Delimiter of a CSV file", choices=DELIMITER_CHOICES, default="")
    sheet = StringField("Sheet of a workbook", [Optional(), Length(max=100)])

    @property
    def has_options(self) -> bool:
        """Whether the user has set one of the further options, even to an invalid value."""
        further = (self.expected_rows, self.max_rejected_percent, self.encoding, self.sheet)
        return bool(
            self.mode.data != Mode.UPSERT
            or self.abort.data
            or self.delimiter.data
            or any(field.data or field.errors for field in further)
        )

    def options(self) -> ImportOptions:
        """Return the choices as the import takes them."""
        return ImportOptions(
            mode=Mode(self.mode.data),
            on_error=OnError.ABORT if self.abort.data else OnError.SKIP,
            expected_rows=self.expected_rows.data,
            max_rejected_percent=self.max_rejected_percent.data,
            encoding=self.encoding.data or None,
            delimiter=DELIMITER_OF.get(self.delimiter.data),
            sheet=self.sheet.data or None,
        )
