"""All pages of the reference."""

from flask import Flask

from config.settings import PROJECT_ROOT
from dev.reference.commands import commands_page
from dev.reference.endpoints import endpoints_page
from dev.reference.settings import settings_page


def reference_pages(app: Flask) -> dict[str, str]:
    """The text of every file of docs/reference/, by file name. `app` is only read."""
    example, procfile, makefile = (
        (PROJECT_ROOT / name).read_text(encoding="utf-8")
        for name in (".env.example", "Procfile", "Makefile")
    )
    return {
        "settings.md": settings_page(example),
        "commands.md": commands_page(app, procfile, makefile),
        "endpoints.md": endpoints_page(app),
    }
