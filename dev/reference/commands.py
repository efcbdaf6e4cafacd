"""The page about the commands: processes, `flask`, `make`."""

import re
from collections.abc import Iterator

import click
from flask import Flask

from dev.reference.markdown import table

HEAD = """\
# Commands

`make reference` makes this page from the code.
"""
PROCESSES = """\
## Processes

The processes that a platform runs, from the `Procfile`. Each process ends on SIGTERM.
"""
FLASK = """\
## flask

Commands for the operator. Run them in the environment of the service, because they read the same
[settings](settings.md). Flask's own commands (`run`, `shell`, `routes`) are also there. Do not use
those in production.
"""
MAKE = """\
## make

Commands for development. Run them in the folder of the project.
"""
WIDTH = 88


def commands_page(app: Flask, procfile: str, makefile: str) -> str:
    """The page, from the application and the texts of `Procfile` and `Makefile`."""
    processes = re.findall(r"^(\w+): (.+)$", procfile, re.MULTILINE)
    targets = re.findall(r"^([a-z]+):.*## (.*)$", makefile, re.MULTILINE)
    parts = [
        HEAD,
        PROCESSES,
        table(("process", "command"), ((name, f"`{line}`") for name, line in processes)) + "\n",
        FLASK,
        *(_section(name, command) for name, command in own_commands(app)),
        MAKE,
        table(("target", "does"), ((f"`make {name}`", does) for name, does in targets)) + "\n",
    ]
    return "\n".join(parts)


def own_commands(app: Flask) -> Iterator[tuple[str, click.Command]]:
    """The `flask` commands of this project with their names, in alphabetical order."""
    for name, command in sorted(app.cli.commands.items()):
        if command.callback is not None and command.callback.__module__.startswith("api."):
            yield name, command


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"flask {name}", max_content_width=WIDTH)
    # Without this, the page would depend on the width of the terminal.
    context.terminal_width = WIDTH
    return f"### flask {name}\n\n```\n{command.get_help(context)}\n```\n"
