"""`python -m dev.reference`: write the pages of docs/reference/ again."""

import sys

from api.app import create_app
from config.settings import PROJECT_ROOT, load_settings
from dev.reference.pages import reference_pages

FOLDER = PROJECT_ROOT / "docs" / "reference"


def main() -> int:
    """Write the pages and return the exit status of the process."""
    pages = reference_pages(create_app(load_settings()))
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
