"""The forms for tokens and people."""

from datetime import UTC, datetime, timedelta

from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from shared.access.names import MAX_NAME_CHARS
from shared.access.people import Role
from shared.access.scopes import Scope
from shared.access.tokens import MAX_DAYS, end_of

SCOPES = {
    Scope.READ: "Look at the roll and the imports",
    Scope.IMPORT: "Send files and decide about imports",
    Scope.METRICS: "Fetch the figures for monitoring",
    Scope.ADMIN: "Everything",
}
ROLES = {
    Role.VIEWER: "Viewer: may look",
    Role.IMPORTER: "Importer: may also import files",
    Role.ADMIN: "Admin: may do everything",
}


def _stripped(text: str | None) -> str | None:
    return text and text.strip()


class TokenForm(FlaskForm):  # type: ignore[misc]
    """A name, what the token may do, and for how long."""

    name = StringField(
        "Name",
        [DataRequired("Give the token a name."), Length(max=MAX_NAME_CHARS)],
        filters=[_stripped],
    )
    scopes = SelectMultipleField(
        "What it may do",
        choices={str(scope): text for scope, text in SCOPES.items()},
        default=[str(Scope.READ), str(Scope.IMPORT)],
        widget=ListWidget(),
        option_widget=CheckboxInput(),
    )
    last_day = DateField("Last day, in UTC (for ever if empty)", [Optional()])

    def validate_scopes(self, field: SelectMultipleField) -> None:
        """A token that may do nothing is a mistake."""
        if not field.data:
            raise ValidationError("Choose at least one.")

    def validate_last_day(self, field: DateField) -> None:
        """A day that is not over, and no slip of the keyboard far ahead."""
        today = datetime.now(UTC).date()
        if field.data and not today <= field.data <= today + timedelta(days=MAX_DAYS):
            raise ValidationError(f"Choose today or a day of the next {MAX_DAYS:,}.")

    @property
    def expires_at(self) -> datetime | None:
        """What `create_token` takes."""
        return end_of(self.last_day.data) if self.last_day.data else None


class RoleForm(FlaskForm):  # type: ignore[misc]
    """What a person may do."""

    role = SelectField("Role", choices={str(role): text for role, text in ROLES.items()})


class PersonForm(RoleForm):
    """A person who may sign in from now on."""

    name = StringField(
        "Name",
        [DataRequired("Give the person's name."), Length(max=MAX_NAME_CHARS)],
        filters=[_stripped],
        render_kw={"autocomplete": "off"},
    )
