"""The schemas of an upload's parameters and headers."""

import re

from marshmallow import Schema, ValidationError, fields, validate
from marshmallow.validate import Length, OneOf

from api.rest.query import storable
from api.rest.schemas import meaning
from shared.importing.options import OnError
from shared.roll_file.csv_files.reader import DELIMITERS
from shared.staging.merge import Mode

MAX_EXPECTED_ROWS = 100_000_000
KEY = re.compile(r"[\x21-\x7e]{1,255}")


class UploadQuerySchema(Schema):
    """How to import the file. An unknown parameter is rejected, not ignored."""

    dry_run = fields.Boolean(
        load_default=False,
        metadata=meaning(
            "A preview: report what would change, and leave the roll as it is. Then `POST"
            " /api/jobs/{task_id}/apply/` imports the same bytes. A preview shows who is on"
            " the roll, so the token also needs the scope `read`.",
            False,
        ),
    )
    mode = fields.Enum(
        Mode,
        by_value=fields.String,
        metadata=meaning(
            "`upsert` (the default) creates and updates voters. `create_only` does not"
            " change voters who are on the roll already. `update_only` creates no voters.",
            Mode.UPSERT,
        ),
    )
    on_error = fields.Enum(
        OnError,
        by_value=fields.String,
        metadata=meaning(
            "With `skip` (the default), the service saves the good rows. With `abort`, it"
            " saves nothing if any row is rejected.",
            OnError.SKIP,
        ),
    )
    max_rejected_percent = fields.Float(
        validate=validate.Range(0, 100),
        metadata=meaning("Save nothing if a larger percentage of rows is rejected.", 2.5),
    )
    expected_rows = fields.Integer(
        strict=False,
        validate=validate.Range(0, MAX_EXPECTED_ROWS),
        metadata=meaning(
            "The registrar's control total: save nothing if the file has another number of"
            " rows. The header and blank rows do not count.",
            1000,
        ),
    )
    encoding = fields.String(
        validate=[Length(1, 40), storable],
        metadata=meaning(
            "The encoding of a CSV file, if the service detects it wrongly.", "windows-1252"
        ),
    )
    delimiter = fields.String(
        validate=OneOf(list(DELIMITERS)),
        metadata=meaning("The delimiter of a CSV file: comma, semicolon, tab or pipe.", ";"),
    )
    sheet = fields.String(
        validate=[Length(1, 100), storable],
        metadata=meaning("The title of the sheet in a workbook.", "Roll 2026"),
    )


class IdempotencyKey(fields.String):
    """A key that the client chooses, plain or as the quoted string of the IETF's draft."""

    def _deserialize(self, value: object, *rest: object, **more: object) -> str:
        text = str(value)
        if len(text) > 1 and text[0] == text[-1] == '"':
            text = text[1:-1]
        if not KEY.fullmatch(text):
            raise ValidationError("A key has 1 to 255 visible ASCII characters.")
        return text


class UploadHeaderSchema(Schema):
    """The headers of an upload."""

    idempotency_key = IdempotencyKey(
        data_key="Idempotency-Key",
        metadata=meaning(
            "Makes it safe to send the request again. The same key with the same file and"
            " options gives the first answer again. With another file or other options, the"
            " answer is 422. The service keeps the key as long as the file.",
            "8e03978e-40d5-43dd-bc93-6894a57f9324",
        ),
    )
