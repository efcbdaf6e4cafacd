"""The schemas of the audit resource."""

from marshmallow import fields
from marshmallow.validate import Length, OneOf, Regexp

from api.rest.query import PagedQuerySchema, StoredTime, storable
from api.rest.schemas import TASK_ID, AnswerSchema, meaning, time_field
from shared.audit import Action, ActorKind, Outcome

MAX_FILTER_CHARS = 254


class AuditEntrySchema(AnswerSchema):
    """One entry of the audit table."""

    id = fields.Integer(metadata=meaning("Rises with each entry.", 4711))
    at = time_field("When it was done.")
    actor_kind = fields.String(
        validate=OneOf(list(ActorKind)),
        metadata=meaning("The kind of actor.", ActorKind.USER),
    )
    actor = fields.String(
        metadata=meaning(
            "The name of the user, the token or the account of the machine. Empty for the"
            " service itself and for a client that is not signed in.",
            "election office",
        )
    )
    address = fields.String(
        allow_none=True,
        metadata=meaning("The IP address of the client. Null where there is none.", "192.0.2.17"),
    )
    action = fields.String(
        validate=OneOf(list(Action)), metadata=meaning("What was done.", Action.CANCEL)
    )
    subject = fields.String(
        allow_none=True,
        metadata=meaning(
            "The subject: the id of a job or a voter, or the name of a user or a token.", TASK_ID
        ),
    )
    outcome = fields.String(
        validate=OneOf(list(Outcome)),
        metadata=meaning("`refused` means that a password was wrong.", Outcome.OK),
    )
    detail = fields.String(metadata=meaning("More details, or empty.", ""))


class AuditQuerySchema(PagedQuerySchema):
    """Filters of the audit list. An unknown parameter is rejected, not ignored."""

    action = fields.String(
        validate=OneOf(list(Action)), metadata=meaning("Only this action.", Action.SIGN_IN)
    )
    outcome = fields.String(
        validate=OneOf(list(Outcome)), metadata=meaning("Only this outcome.", Outcome.REFUSED)
    )
    actor = fields.String(
        validate=[Length(1, MAX_FILTER_CHARS), storable],
        metadata=meaning("Only actions under this name.", "election office"),
    )
    subject = fields.String(
        validate=[Length(1, MAX_FILTER_CHARS), storable],
        metadata=meaning("Only actions on this job, voter, user or token.", TASK_ID),
    )
    since = StoredTime(
        metadata=meaning("Only this time or later, as RFC 3339.", "2026-01-31T00:00:00Z")
    )
    until = StoredTime(
        metadata=meaning("Only before this time, as RFC 3339.", "2026-02-01T00:00:00Z")
    )
    after = fields.String(
        validate=Regexp("^[0-9]{0,18}$", error="Use the cursor of the page before."),
        metadata=meaning(
            "A cursor in place of `page`: `next` of `X-Pagination`, or empty for the first"
            " page. The service then counts nothing, and each page is as fast as the first.",
            "",
        ),
    )
