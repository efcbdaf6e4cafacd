"""The forms for tokens and users."""

from datetime import UTC, datetime, timedelta

from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from shared.access.names import MAX_NAME_CHARS
from shared.access.scopes import Scope
from shared.access.tokens import MAX_DAYS, end_of
from shared.access.users import Role

SCOPES = {
    Scope.READ: "Read the roll and the imports",
    Scope.IMPORT: "Upload files and decide about imports",
    Scope.METRICS: "Read the metrics for monitoring",
    Scope.ADMIN: "Everything",
}
ROLES = {
    Role.VIEWER: "Viewer: can read",
    Role.IMPORTER: "Importer: can also import files",
    Role.ADMIN: "Admin: can do everything",
}


def _strip(text: str | None) -> str | None:
    return None if text is None else text.strip()


class TokenForm(FlaskForm):  # type: ignore[misc]
    """The form for a new token: its name, its scopes and its last day."""

    name = StringField(
        "Name",
        [DataRequired("Give the token a name."), Length(max=MAX_NAME_CHARS)],
        filters=[_strip],
    )
    scopes = SelectMultipleField(
        "Scopes",
        choices={str(scope): text for scope, text in SCOPES.items()},
        default=[str(Scope.READ), str(Scope.IMPORT)],
        widget=ListWidget(),
        option_widget=CheckboxInput(),
    )
    last_day = DateField("Last day, in UTC (empty: never expires)", [Optional()])

    def validate_scopes(self, field: SelectMultipleField) -> None:
        """Reject a token without scopes, because it could do nothing."""
        if not field.data:
            raise ValidationError("Choose at least one scope.")

    def validate_last_day(self, field: DateField) -> None:
        """Accept today or a later day, but no day so far ahead that it must be a typing error."""
        today = datetime.now(UTC).date()
        if field.data and not today <= field.data <= today + timedelta(days=MAX_DAYS):
            raise ValidationError(f"Choose a day from today to {MAX_DAYS:,} days from now.")

    @property
    def expires_at(self) -> datetime | None:
        """The end of the token's last day as `create_token` takes it, or None."""
        return end_of(self.last_day.data) if self.last_day.data else None


class RoleForm(FlaskForm):  # type: ignore[misc]
    """The form for the role of a user."""

    role = SelectField("Role", choices={str(role): text for role, text in ROLES.items()})


class UserForm(RoleForm):
    """The form for a new user."""

    name = StringField(
        "Name",
        [DataRequired("Give the name of the user."), Length(max=MAX_NAME_CHARS)],
        filters=[_strip],
        render_kw={"autocomplete": "off"},
    )
