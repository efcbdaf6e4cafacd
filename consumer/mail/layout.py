"""How a mail looks: the same sections as plain text and as HTML."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

LINE_CHARS = 78


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences below it, and a table of labels and values.

    Numbers stand at the right of their column; the values of a table `is_prose` at the left.
    """

    title: str
    lines: Sequence[str] = ()
    table: Sequence[tuple[str, str]] = ()
    is_prose: bool = False


def as_text(opening: str, sections: Sequence[Section], link: str) -> str:
    """Plain text with lines of at most 78 characters, which every mail server takes (RFC 5322,
    2.1.1)."""
    lines = [*textwrap.wrap(opening, LINE_CHARS), ""]
    if link:
        # Not wrapped: a broken address cannot be followed.
        lines += [link, ""]
    for section in sections:
        lines += [section.title, *_body(section), ""]
    return "\n".join(lines)


def _body(section: Section) -> Iterator[str]:
    for line in section.lines:
        yield from textwrap.wrap(line, LINE_CHARS, initial_indent="  ", subsequent_indent="  ")
    width = max((len(label) for label, _ in section.table), default=0)
    for label, value in section.table:
        shown = value if section.is_prose else f"{value:>9}"
        yield from textwrap.wrap(
            f"  {label:<{width}}  {shown}", LINE_CHARS, subsequent_indent="    "
        )


def as_html(subject: str, opening: str, sections: Sequence[Section], link: str) -> str:
    """The same for a mail program that shows HTML; everything in it is escaped."""
    return _template().render(subject=subject, opening=opening, sections=sections, link=link)


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
