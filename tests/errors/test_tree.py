"""All errors of the service are in one tree, and each package has its errors in one module."""

import importlib
import pkgutil
from collections.abc import Iterator
from copy import copy

import psycopg
import pytest
from peewee import DoesNotExist

import api
import consumer
import shared
from shared.database.errors import NoAnswer, SharedSession
from shared.errors import CodedError, VoterSystemError
from shared.importing.errors import JobFailure, NotPossible, NotPossibleCode
from shared.jobs.states import JobCode
from shared.roll_file.errors import BadCell, FileCode, FileFault, RowCode, TextTooLong

PACKAGES = (api, consumer, shared)
# A package of one module has no other place.
OWN_PLACES = ("shared.deletion",)


def modules() -> Iterator[str]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(".__main__"):
                yield module.name


def errors_of(root: type[BaseException]) -> Iterator[type[BaseException]]:
    for error in root.__subclasses__():
        yield error
        yield from errors_of(error)


@pytest.fixture(scope="module")
def ours() -> set[type[BaseException]]:
    for name in modules():
        importlib.import_module(name)
    names = tuple(f"{package.__name__}." for package in PACKAGES)
    return {
        error
        for error in errors_of(Exception)
        # peewee makes one for each table.
        if not issubclass(error, DoesNotExist)
        and error.__module__.startswith(names)
        and not error.__name__.startswith("_")
    }


def test_every_error_has_the_one_root(ours: set[type[BaseException]]) -> None:
    assert FileFault in ours
    assert [error for error in ours if not issubclass(error, VoterSystemError)] == []


def test_a_package_has_its_errors_in_one_module(ours: set[type[BaseException]]) -> None:
    places = {error.__module__ for error in ours if not error.__module__.startswith("api.")}
    assert [place for place in places if not place.endswith(".errors")] == list(OWN_PLACES)


def test_a_room_of_the_api_has_one_module_with_errors(ours: set[type[BaseException]]) -> None:
    places = {error.__module__ for error in ours if error.__module__.startswith("api.")}
    rooms = [place.split(".")[1] for place in places]
    assert sorted(rooms) == sorted(set(rooms))


@pytest.mark.parametrize(
    "error",
    [
        FileFault(FileCode.EMPTY_FILE, "The file is empty."),
        BadCell(RowCode.INVALID_YEAR, "Give a year."),
        NotPossible(NotPossibleCode.NOT_FAILED, "Only a failed job can be retried."),
        JobFailure(JobCode.FILE_LOST, "Upload the file again.", rejects_key="a1"),
    ],
)
def test_an_error_with_a_code_shows_its_message(error: CodedError[str]) -> None:
    # This makes the copy as pickle does.
    made = copy(error)
    assert str(made) == made.message == error.message
    assert vars(made) == vars(error)


def test_a_text_that_is_too_long_names_its_length() -> None:
    assert str(TextTooLong(300)) == "300 characters"


@pytest.mark.parametrize("error", [NoAnswer, SharedSession])
def test_peewee_finds_the_class_of_the_driver(error: type[Exception]) -> None:
    assert error.__bases__[0] is psycopg.OperationalError
