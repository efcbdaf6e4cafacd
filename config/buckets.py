"""Buckets of object stores: Amazon S3 and compatible servers, Google Cloud Storage, Azure.

The usual variables of the vendor (`AWS_...`, `GOOGLE_...`, `AZURE_...`) say who may use a bucket
and on which server it is. The library reads them itself, as libpq reads `PG...`. If there are none,
it asks the platform for the role of the machine. So they are not settings of ours, and none of our
code can show them.
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
    # Our code deletes one object at a time, which every server that is compatible with S3 supports.
    "s3": partial(S3Store.from_url, disable_bulk_delete=True),
    "gs": GCSStore.from_url,
    "az": AzureStore.from_url,
    "https": AzureStore.from_url,
}


def open_bucket(url: str, request_seconds: float) -> Bucket:
    """Return the bucket, or the part of it below a prefix, that a URL names. It does not connect.

    No request takes longer than `request_seconds`. A request that failed earlier is retried within
    that time. Raises obstore's `BaseError` if URL and environment do not describe a bucket.
    """
    return OPENERS[urlsplit(url).scheme](
        url,
        client_options={
            # Only a URL that says `http://` itself is used without TLS.
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
    """Raise `ValidationError` if URL and environment do not describe a bucket."""
    parts = urlsplit(url)
    if parts.username or parts.query or parts.fragment:
        raise ValidationError(
            "The URL of a bucket has a name and a prefix. Set credentials and all else in"
            " the variables AWS_..., GOOGLE_... or AZURE_..."
        )
    try:
        open_bucket(url, request_seconds=1.0)
    except BaseError as error:
        reason = str(error).partition("\n")[0]
        raise ValidationError(f"The bucket cannot be used. {reason}.") from error
