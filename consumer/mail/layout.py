"""The layout of a mail: the same sections as plain text and as HTML."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

LINE_CHARS = 78


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences below it, and a table of labels and values.

    The values are numbers, aligned right. If `is_prose`, they are text, aligned left.
    """

    title: str
    lines: Sequence[str] = ()
    table: Sequence[tuple[str, str]] = ()
    is_prose: bool = False


def as_text(introduction: str, sections: Sequence[Section], link: str) -> str:
    """The mail as plain text.

    Lines have at most 78 characters, as RFC 5322, 2.1.1 recommends. A link stays on one line.
    """
    lines = [*textwrap.wrap(introduction, LINE_CHARS), ""]
    if link:
        # Not wrapped: a URL with a line break does not work.
        lines += [link, ""]
    for section in sections:
        lines += [section.title, *_body(section), ""]
    return "\n".join(lines)


def _body(section: Section) -> Iterator[str]:
    for line in section.lines:
        yield from textwrap.wrap(line, LINE_CHARS, initial_indent="  ", subsequent_indent="  ")
    width = max((len(label) for label, _ in section.table), default=0)
    for label, value in section.table:
        text = value if section.is_prose else f"{value:>9}"
        yield from textwrap.wrap(
            f"  {label:<{width}}  {text}", LINE_CHARS, subsequent_indent="    "
        )


def as_html(subject: str, introduction: str, sections: Sequence[Section], link: str) -> str:
    """The mail as HTML. Every value in it is escaped."""
    return _template().render(
        subject=subject, introduction=introduction, sections=sections, link=link
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("consumer.mail"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report_mail.html")
