"""A command ends with its own code; a failure and an interrupt end with one line."""

import pytest

from dev.cluster import endings, errors


def raising(error: BaseException) -> int:
    raise error


def test_a_command_ends_with_its_own_code() -> None:
    assert endings.run(lambda: 3) == 3
    assert endings.run(lambda: None) == 0


def test_a_failure_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert endings.run(lambda: raising(errors.MissingError("Go is not installed"))) == 1
    assert capsys.readouterr().err == "error: Go is not installed\n"


def test_an_interrupt_says_what_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert endings.run(lambda: raising(KeyboardInterrupt())) == 130
    assert "make cluster-down" in capsys.readouterr().err


def test_what_nobody_foresaw_is_a_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        endings.run(lambda: raising(ZeroDivisionError()))
