"""A session with a seed runs a third of each matrix, and three of them run all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev import seeds
from tests.support.matrices import chosen

pytest_plugins = "pytester"

CONFTEST = """
from tests.support.matrices import Matrices

def pytest_configure(config):
    config.addinivalue_line("markers", "matrix(name): one of a long list")
    config.pluginmanager.register(Matrices())
"""
TESTS = """
import pytest

@pytest.mark.matrix("long")
@pytest.mark.parametrize("case", range(9))
def test_a_case(case):
    pass

@pytest.mark.matrix("of two")
@pytest.mark.parametrize("case", range(2))
def test_another(case):
    pass

def test_that_is_no_case():
    pass
"""


@given(st.integers(1, 100), st.integers(0, 10**10))
def test_a_third_and_in_three_sessions_all(count: int, seed: int) -> None:
    three = [chosen(count, seed + later) for later in range(3)]
    assert {len(cases) for cases in three} == {(count + 2) // 3}
    assert set.union(*three) == set(range(count))


@pytest.mark.parametrize(("seed", "ran"), [("7", 3 + 1 + 1), ("", 9 + 2 + 1)])
def test_a_session_runs_what_was_chosen(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config, seed: str, ran: int
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    monkeypatch.setenv(seeds.MATRIX, seed)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=ran, deselected=12 - ran)
