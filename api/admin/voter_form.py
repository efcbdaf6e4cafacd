"""The form to correct the entry of a voter."""

import json
from hashlib import sha256
from typing import Any

from flask_wtf import FlaskForm
from marshmallow import ValidationError
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from api.voters.change_schemas import MAX_REASON_CHARS, VoterChangeSchema
from shared.errors import VoterSystemError
from shared.roll_file.errors import TextTooLong
from shared.roll_file.fields import CHANGEABLE, FIELDS, MAX_CHARS
from shared.roll_file.rows.cells import MAX_YEAR, MIN_YEAR
from shared.roll_file.rows.text import clean
from shared.voters.models import Voter

YEARS = {"": "unknown", **{str(year): str(year) for year in range(MIN_YEAR, MAX_YEAR + 1)}}
MAX_TYPED_CHARS = max(MAX_CHARS.values())
ELIGIBLE = {"yes": "yes", "no": "no"}


class EntryChanged(VoterSystemError):
    """The entry has changed since the form showed it."""


class VoterForm(FlaskForm):  # type: ignore[misc]
    """All fields of an entry except the id, and the reason for the change."""

    version = HiddenField()
    first_name = StringField("First name")
    last_name = StringField("Last name")
    email = StringField("Email", [InputRequired("A voter needs an email address.")])
    department = StringField("Department")
    year = SelectField("Year of study", choices=YEARS)
    is_eligible = SelectField("Eligible", choices=ELIGIBLE)
    reason = StringField(
        "Reason, for the history",
        [
            InputRequired("Say why the entry changes."),
            Length(max=MAX_REASON_CHARS, message="Use at most %(max)d characters."),
        ],
    )

    def differences(self, voter: Voter) -> dict[str, str]:
        """Return the typed values that differ from the entry, by field.

        A field of one line shows a text without its line breaks, which is not a change.
        """
        texts = {name: self[name].data for name in CHANGEABLE if self[name].data is not None}
        return {
            name: _clean(text)
            for name, text in texts.items()
            if _in_one_line(text) != _in_one_line(field_text(voter, name))
        }

    def change(self, voter: Voter) -> dict[str, Any] | None:
        """Return the changes and the reason as the API's PATCH reads them: `values` and `reason`.

        If a value is invalid, returns None and puts the messages at their fields.
        """
        # Only a field that the user has emptied is cleared.
        values = {name: text or None for name, text in self.differences(voter).items()}
        body = {**values, "reason": self.reason.data}
        try:
            change: dict[str, Any] = VoterChangeSchema().load(body)
        except ValidationError as error:
            faults = error.messages_dict
            if "_schema" in faults:
                faults["reason"] = ["Nothing has changed in the entry."]
            for field in self:
                field.errors = tuple(map(_without_code, faults.get(field.name, ())))
            return None
        return change

    def check(self, voter: Voter) -> None:
        """Raise `EntryChanged` if the form has shown another version of the entry."""
        if self.version.data != version_of(voter):
            raise EntryChanged


def form_of(voter: Voter, reason: str = "") -> VoterForm:
    """Return the form that shows an entry."""
    texts = {name: field_text(voter, name) for name in FIELDS}
    return VoterForm(formdata=None, **texts, version=version_of(voter), reason=reason)


def version_of(voter: Voter) -> str:
    """Return a hash that identifies this version of the entry."""
    entry = [getattr(voter, name) for name in FIELDS]
    return sha256(json.dumps(entry).encode()).hexdigest()


def field_text(voter: Voter, name: str) -> str:
    """Return a field of the entry as the form shows it."""
    match getattr(voter, name):
        case None:
            return ""
        case bool(is_eligible):
            return "yes" if is_eligible else "no"
        case value:
            return str(value)


def _in_one_line(text: str) -> str:
    return _clean(text.replace("\r", "").replace("\n", ""))


def _clean(text: str) -> str:
    """Clean a text as the roll stores it. A text that is too long stays, and is rejected later."""
    try:
        return clean(text, MAX_TYPED_CHARS)
    except TextTooLong:
        return text


def _without_code(message: str) -> str:
    """Return the sentence of a fault without its code, which is for programs."""
    code, _, sentence = message.partition(": ")
    return sentence if code.isupper() else message
