"""Buckets of object stores: Amazon S3 and what speaks like it, Google Cloud Storage, Azure.

Who may use a bucket, and at which server it is, stands in the variables that its vendor has made
usual (`AWS_...`, `GOOGLE_...`, `AZURE_...`). The library reads them by itself, as libpq reads
`PG...`; where there are none, it asks the platform for the role of the machine. So they are no
settings of ours, and nothing of ours can show them.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from marshmallow import ValidationError
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

Bucket = S3Store | GCSStore | AzureStore

MAX_RETRIES = 3
OPENERS: dict[str, Callable[..., Bucket]] = {
    # We delete one by one, which every server that speaks like S3 understands.
    "s3": partial(S3Store.from_url, disable_bulk_delete=True),
    "gs": GCSStore.from_url,
    "az": AzureStore.from_url,
    "https": AzureStore.from_url,
}


def open_bucket(url: str, request_seconds: float) -> Bucket:
    """The bucket, or the part of it below a prefix, that a URL names; nothing is connected to yet.

    No request takes longer than `request_seconds`; one that failed sooner is tried again within
    that time. Raises obstore's `BaseError` when URL and environment do not describe a bucket.
    """
    return OPENERS[urlsplit(url).scheme](
        url,
        client_options={
            # Only an address that says `http://` itself is asked without TLS.
            "allow_http": True,
            "timeout": timedelta(seconds=request_seconds),
            "connect_timeout": timedelta(seconds=request_seconds / 2),
        },
        retry_config={
            "max_retries": MAX_RETRIES,
            "retry_timeout": timedelta(seconds=request_seconds),
        },
    )


def check_bucket(url: str) -> None:
    """Raises `ValidationError` when URL and environment do not describe a bucket."""
    parts = urlsplit(url)
    if parts.username or parts.query or parts.fragment:
        raise ValidationError(
            "The URL of a bucket holds a name and a prefix; credentials and all else stand in the"
            " variables AWS_..., GOOGLE_... or AZURE_..."
        )
    try:
        open_bucket(url, request_seconds=1.0)
    except BaseError as error:
        reason = str(error).partition("\n")[0]
        raise ValidationError(f"The bucket cannot be used. {reason}.") from error
