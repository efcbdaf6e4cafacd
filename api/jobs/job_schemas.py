"""The schemas of the jobs resource."""

from marshmallow import fields, validate
from marshmallow.validate import OneOf

from api.jobs.task_schemas import TaskStatusSchema
from api.rest.query import PagedQuerySchema, StoredTime, storable
from api.rest.schemas import SHA256, AnswerSchema, meaning, task_id_field, time_field
from shared.jobs.states import JobState, OutboxState


class OutboxEntrySchema(AnswerSchema):
    """The state of the report mail, or of the call to WEBHOOK_URL."""

    state = fields.String(
        validate=OneOf(list(OutboxState)),
        metadata=meaning("`none` before the job is final, or if there is no recipient.", "sent"),
    )
    attempts = fields.Integer(metadata=meaning("The number of attempts to send it.", 1))
    sent_at = time_field("When the mail server, or the receiver, accepted it.")
    error = fields.String(
        allow_none=True,
        metadata=meaning(
            "Why the last attempt failed, or which recipients the mail server refused.", None
        ),
    )


class JobSchema(TaskStatusSchema):
    """A job: its status, its sender, its options, and the earlier jobs that it refers to."""

    uploaded_by = fields.String(metadata=meaning("The token or user.", "registrar-export"))
    options = fields.Dict(
        keys=fields.String(),
        metadata=meaning("The options of the upload, without defaults.", {"delimiter": ";"}),
    )
    duplicate_of = task_id_field("The latest earlier job with the same bytes.")
    preview_of = task_id_field("The preview that this job applies.")
    retry_of = task_id_field("The job that this one retries.")
    cancelled_by = fields.String(
        allow_none=True, metadata=meaning("Who cancelled it, or null.", None)
    )
    files_purged_at = time_field("When its files were deleted, after the retention time.")
    report_mail = fields.Nested(
        OutboxEntrySchema, metadata={"description": "What became of the report mail."}
    )
    webhook = fields.Nested(
        OutboxEntrySchema, metadata={"description": "What became of the call to WEBHOOK_URL."}
    )


class JobQuerySchema(PagedQuerySchema):
    """Filters of the list of jobs. An unknown parameter is rejected, not ignored."""

    state = fields.String(
        validate=OneOf(list(JobState)), metadata=meaning("Only this state.", JobState.SUCCESS)
    )
    uploaded_by = fields.String(
        validate=[validate.Length(1, 200), storable],
        metadata=meaning("Only uploads of this token or user.", "registrar-export"),
    )
    sha256 = fields.String(
        validate=validate.Regexp("^[0-9a-f]{64}$", error="Give 64 hexadecimal digits."),
        metadata=meaning("Only files with these bytes.", SHA256),
    )
    created_from = StoredTime(
        metadata=meaning(
            "Only jobs accepted at this time or later, as RFC 3339.", "2026-01-31T00:00:00Z"
        ),
    )
    created_before = StoredTime(
        metadata=meaning(
            "Only jobs accepted before this time, as RFC 3339.", "2026-02-01T00:00:00Z"
        ),
    )


class MailAgainSchema(AnswerSchema):
    """The response to a request to send the report mail again."""

    message = fields.String(
        metadata=meaning("Always the same.", "The report mail will be sent again")
    )
