"""The root of all errors of this service, and the base of those with a code.

Every package has its errors in one module, `errors`. Some errors also derive from one of Python or
of a library, because that library must recognize them.
"""

from typing import Generic, TypeVar

Code = TypeVar("Code", bound=str)


class VoterSystemError(Exception):
    """The root of the tree. Only `SettingsError` is outside of it, because `config` is below."""


class CodedError(VoterSystemError, Generic[Code]):
    """An error with a code for programs, and a message for people."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message
