"""Forms and the files in them, read within limits.

Werkzeug reads a multipart body as a stream, and writes large files to temporary files without a
name. No other process can open these, and they vanish with their descriptor. Werkzeug has no limit
for the header of a part, or for a form that is not multipart. This module adds both limits.
Werkzeug also treats a file name that is not UTF-8 as damage. This module reads it as Latin-1.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from itertools import chain
from typing import IO, Any

from flask import Request
from webargs.flaskparser import abort
from werkzeug.datastructures import FileStorage, Headers, MultiDict
from werkzeug.formparser import FormDataParser, default_stream_factory
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from api.middleware.errors import FormTooLarge

BLOCK_BYTES = 64 * 1024
# For one text field, and for a whole form that is not multipart.
FIELD_BYTES = 256 * 1024
HEAD_BYTES = 8 * 1024
MAX_PARTS = 20

NUL = "A text must not have a NUL character."

Form = tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]


class Decoder(MultipartDecoder):
    """Werkzeug's decoder, with a limit for the headers of parts, which need not be UTF-8."""

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        if len(data) > HEAD_BYTES:
            raise FormTooLarge("A file name, or the header of a part of the form, is too long.")
        try:
            return super()._parse_headers(data)
        except UnicodeDecodeError:
            return super()._parse_headers(data.decode("latin-1").encode())


class FormParser(FormDataParser):
    """Werkzeug's parser, with limits for both kinds of forms, and without NUL characters.

    PostgreSQL cannot store a NUL character in a text, or compare a text with one.
    """

    def parse(self, *arguments: Any, **keywords: Any) -> Form:
        """Parse a form. A NUL in the name or the text of a field ends the request here with 422."""
        stream, form, files = super().parse(*arguments, **keywords)
        texts = chain(files, chain.from_iterable(form.items(multi=True)))
        if any("\x00" in text for text in texts):
            abort(HTTPStatus.UNPROCESSABLE_ENTITY, message=NUL)
        return stream, form, files

    def _parse_multipart(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> Form:
        boundary = options.get("boundary", "").encode("ascii")
        if not boundary:
            raise ValueError("Missing boundary")
        form: MultiDict[str, str] = MultiDict()
        files: MultiDict[str, FileStorage] = MultiDict()
        with ExitStack() as closed_on_error:
            for part, content in _parts(stream, boundary):
                name = part.name or ""
                if isinstance(part, File):
                    closed_on_error.enter_context(content)
                    files.add(name, FileStorage(content, part.filename, name, headers=part.headers))
                else:
                    with content:
                        form.add(name, content.read().decode("utf-8", "replace"))
            closed_on_error.pop_all()
        return stream, form, files

    def _parse_urlencoded(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> Form:
        if (content_length or FIELD_BYTES + 1) > FIELD_BYTES:
            raise FormTooLarge("The form is too large. Send a file as multipart/form-data.")
        return super()._parse_urlencoded(stream, mimetype, content_length, options)


class FormRequest(Request):
    """Flask's request, with the form parser of this module."""

    form_data_parser_class = FormParser


def _parts(stream: IO[bytes], boundary: bytes) -> Iterator[tuple[Field | File, IO[bytes]]]:
    """Yield each part with its content, positioned at its start. The caller closes the content."""
    events = _events(stream, boundary)
    heads = (event for event in events if isinstance(event, Field | File))
    for count, part in enumerate(heads):
        if count == MAX_PARTS:
            raise FormTooLarge(f"The form has more than {MAX_PARTS} parts.")
        content = default_stream_factory(None, None, None)
        try:
            _copy(events, content, None if isinstance(part, File) else FIELD_BYTES)
        except BaseException:
            content.close()
            raise
        yield part, content


def _copy(events: Iterator[Event], content: IO[bytes], most_bytes: int | None) -> None:
    """Copy the data of one part and return to its start.

    Raises ValueError if the form breaks off in the part, and `FormTooLarge` beyond `most_bytes`.
    """
    for event in events:
        if not isinstance(event, Data):
            break
        content.write(event.data)
        if most_bytes is not None and content.tell() > most_bytes:
            raise FormTooLarge("A field of the form is too long.")
        if not event.more_data:
            content.seek(0)
            return
    raise ValueError("the form breaks off")


def _events(stream: IO[bytes], boundary: bytes) -> Iterator[Event]:
    decoder = Decoder(boundary, FIELD_BYTES)
    for block in chain(iter(lambda: stream.read(BLOCK_BYTES), b""), [None]):
        decoder.receive_data(block)
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            yield event
