"""Check the directory of a zip before anything in it is unpacked.

Python's zipfile never reads more of a member than the directory declares. The declared sizes are
therefore a safe limit on the cost of unpacking.
"""

import struct
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.limits import Limits
from shared.roll_file.workbooks.faults import damaged, password_protected, too_large

LOCAL_HEADER_BYTES = 30
# APPNOTE.TXT 4.3.14-4.3.16: the end records of a zip's directory.
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64_BYTES = 20
_MAX_COMMENT_BYTES = 65_535
_ENCRYPTED = 0x1


def open_archive(stream: BinaryIO, limits: Limits) -> ZipFile:
    """Open the zip in `stream` and check its directory. Unpacks nothing, in bounded memory.

    Raises `FileFault`:
    - UNREADABLE_FILE for a damaged or deceptive zip
    - PASSWORD_PROTECTED
    - WORKBOOK_TOO_LARGE for a zip that unpacks to more than the limits
    """
    try:
        _check_directory_size(stream, limits)
        archive = ZipFile(stream)
    except (BadZipFile, struct.error, OSError, ValueError, NotImplementedError) as error:
        raise damaged() from error
    members = archive.infolist()
    _check_members(members, limits)
    _check_layout(members, archive.start_dir)
    _check_sizes(members, limits)
    return archive


def _check_directory_size(stream: BinaryIO, limits: Limits) -> None:
    """Reject a directory that takes long to read, because zipfile reads all of it at once."""
    size = stream.seek(0, 2)
    tail_bytes = min(size, _END.size + _MAX_COMMENT_BYTES + _LOCATOR_64_BYTES + _END_64.size)
    stream.seek(size - tail_bytes)
    tail = stream.read(tail_bytes)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise BadZipFile("no end record")
    sizes = [_END.unpack_from(tail, at)[5]]
    at_64 = at - _LOCATOR_64_BYTES - _END_64.size
    if at_64 >= 0 and tail[at_64 : at_64 + 4] == b"PK\x06\x06":
        sizes = [_END_64.unpack_from(tail, at_64)[8]]
    if max(sizes) > limits.max_directory_bytes:
        raise too_large(f"The workbook has more than {limits.max_members} parts.")


def _check_members(members: list[ZipInfo], limits: Limits) -> None:
    if not members:
        raise damaged()
    if len(members) > limits.max_members:
        raise too_large(f"The workbook has more than {limits.max_members} parts.")
    names: set[str] = set()
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.lower() in names or name.startswith("/") or ".." in name.split("/"):
            raise damaged()
        names.add(name.lower())
        if member.flag_bits & _ENCRYPTED:
            raise password_protected()
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise FileFault(
                FileCode.UNREADABLE_FILE,
                "The workbook is packed in a way that Excel does not use. Open it in Excel"
                " and save it again as .xlsx.",
            )


def _check_layout(members: list[ZipInfo], directory_offset: int) -> None:
    """Reject members that share bytes, by which a small zip can unpack to petabytes."""
    members_by_offset = sorted(members, key=lambda member: member.header_offset)
    ends = [member.header_offset for member in members_by_offset[1:]] + [directory_offset]
    for member, end in zip(members_by_offset, ends, strict=True):
        name_bytes = len(
            member.orig_filename.encode("utf-8" if member.flag_bits & 0x800 else "cp437")
        )
        if member.header_offset + LOCAL_HEADER_BYTES + name_bytes + member.compress_size > end:
            raise damaged()


def _check_sizes(members: list[ZipInfo], limits: Limits) -> None:
    if sum(member.file_size for member in members) > limits.max_total_bytes:
        raise too_large("The unpacked workbook is too large.")
    for member in members:
        if member.file_size > limits.max_part_bytes:
            raise too_large("An unpacked part of the workbook is too large.")
        if member.file_size > limits.ratio_free_bytes and member.file_size > limits.max_ratio * max(
            member.compress_size, 1
        ):
            raise too_large("A part of the workbook is packed more tightly than a roll can be.")
