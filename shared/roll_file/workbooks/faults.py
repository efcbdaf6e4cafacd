"""File faults for workbooks that cannot be read."""

from shared.roll_file.errors import FileCode, FileFault


def damaged() -> FileFault:
    """Return the fault of a workbook that its library cannot read."""
    return FileFault(
        FileCode.UNREADABLE_FILE,
        "The service cannot read the workbook. It is damaged, or not written as Excel"
        " writes it. Open it in Excel, save it again as .xlsx and upload that.",
    )


def too_large(reason: str) -> FileFault:
    """Return the fault of a workbook that would need too much memory. `reason` is a sentence."""
    return FileFault(
        FileCode.WORKBOOK_TOO_LARGE,
        f"{reason} Save the sheet with the roll as CSV and upload that.",
    )


def password_protected() -> FileFault:
    """Return the fault of an encrypted workbook."""
    return FileFault(
        FileCode.PASSWORD_PROTECTED,
        "The file is protected by a password. Save it without one: in Excel under File,"
        " Info, Protect Workbook, Encrypt with Password, empty the field.",
    )
