"""Runs that are asked for again are counted, and too many of them fail a session in which every test passed."""

import pytest

from tests.support.repeats import too_many

pytest_plugins = "pytester"

CONFTEST = """
import pytest
from tests.support import repeats

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(repeats.Repeats())

@pytest.fixture
def asked_again(request):
    yield
    repeats.note(request.node, runs=5, repeated=request.param)
"""
TESTS = """
import pytest

@pytest.mark.parametrize("asked_again", {each}, indirect=True)
def test_a_run(asked_again):
    pass
"""


@pytest.mark.parametrize(("runs", "repeated", "fails"), [(1, 1, False), (20, 2, False), (20, 3, True), (5, 2, True)])
def test_more_than_one_in_ten_is_too_much(runs: int, repeated: int, fails: bool) -> None:
    assert too_many(runs, repeated) is fails


@pytest.mark.parametrize(
    ("each", "options", "fails"),
    [([1, 0, 0, 0], (), False), ([1, 0, 1, 1], (), True), ([1, 0, 1, 1], ("-n2",), True)],
    ids=["weather", "defect", "defect of two workers"],
)
def test_the_session_fails(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    pytestconfig: pytest.Config,
    each: list[int],
    options: tuple[str, ...],
    fails: bool,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS.format(each=each))
    result = pytester.runpytest("-p", "no:cacheprovider", *options)
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines([f"{sum(each)} of 20 runs were asked for again *"])
    assert result.ret == (pytest.ExitCode.TESTS_FAILED if fails else pytest.ExitCode.OK)
