"""The passwords that a user may choose."""

import time

import pytest

from shared.access.errors import WeakPassword
from shared.access.passwords import check_password


@pytest.mark.parametrize(
    "password",
    [
        "1234567890", "qwertyuiop", "password1234", "P@ssw0rd123", "iloveyou12", "abcdefghij",
        "aaaaaaaaaaaa", "liverpoolfc", "Welcome2026", "university1", "ada.byron27", "Ada.Byron!",
    ],
)  # fmt: skip
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_password("ada.byron", password)


@pytest.mark.parametrize("password", ["kX4-f9qm-Z2", "tidal lamp orbit", "Ü" * 3 + "x8-Kq zw"])
def test_a_password_of_ones_own_will_do(password: str) -> None:
    check_password("ada.byron", password)


def test_a_password_made_to_take_long_takes_no_time() -> None:
    began = time.process_time()
    check_password("ada.byron", "4@8({[<369&#!1/|0$5+7%2" * 8)
    assert time.process_time() - began < 5
