"""Forms and the files in them, read within bounds.

Werkzeug reads multipart bodies as a stream and files go to the disk: into temporary files without
a name, which no other process can open and which are gone with their descriptor. What it has no
bounds for (the head of a part, a form that is no multipart body) has some here, and a file name
that is not UTF-8, which it takes for damage, is read as Latin-1.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from itertools import chain
from typing import IO, Any

from flask import Request
from webargs.flaskparser import abort
from werkzeug.datastructures import FileStorage, Headers, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
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

BLOCK_BYTES = 64 * 1024
# Of one text field, and of a whole form that is no multipart body.
FIELD_BYTES = 256 * 1024
HEAD_BYTES = 8 * 1024
MAX_PARTS = 20

NUL = "No text of this service holds a NUL character."

Read = tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]


class FormTooLarge(RequestEntityTooLarge):
    """A bound of the form itself, not of the file in it."""


class Decoder(MultipartDecoder):
    """Werkzeug's, with a bound for the heads of parts and an answer to those that are not UTF-8."""

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        if len(data) > HEAD_BYTES:
            raise FormTooLarge("The head of a part of the form, or a file name, is too long.")
        try:
            return super()._parse_headers(data)
        except UnicodeDecodeError:
            return super()._parse_headers(data.decode("latin-1").encode())


class FormParser(FormDataParser):
    """Werkzeug's, whose two ways to read a body are bounded, and which takes no NUL character: no
    database keeps one in a text, or compares a text with it."""

    def parse(self, *arguments: Any, **named: Any) -> Read:
        """The request ends here with 422 for a NUL in the name or the text of a field."""
        stream, form, files = super().parse(*arguments, **named)
        texts = chain(files, chain.from_iterable(form.items(multi=True)))
        if any("\x00" in text for text in texts):
            abort(HTTPStatus.UNPROCESSABLE_ENTITY, message=NUL)
        return stream, form, files

    def _parse_multipart(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> Read:
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
    ) -> Read:
        if (content_length or FIELD_BYTES + 1) > FIELD_BYTES:
            raise FormTooLarge("The form is too large. Send a file as multipart/form-data.")
        return super()._parse_urlencoded(stream, mimetype, content_length, options)


class FormRequest(Request):
    """Flask's request with the forms of this module."""

    form_data_parser_class = FormParser


def _parts(stream: IO[bytes], boundary: bytes) -> Iterator[tuple[Field | File, IO[bytes]]]:
    """Each part with its content, at its start. The caller closes it."""
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
    """The data of one part. Raises ValueError when the form breaks off in it."""
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
