"""Repeats: a run that the machine spoiled is asked for again, and a session in which that is often the case fails.

Two processors that are taken away for half a second are heard as dead air, and the operator rightly injects nothing
into a room that was broken before. Were a change to break each second baseline, all tests would still pass by asking
again. This plugin of pytest counts, over all workers of pytest-xdist.
"""

from __future__ import annotations

import pytest

MOST_REPEATED = 0.1
"""The share of a session's runs that may be asked for again. One may always."""

RUNS, REPEATED = "runs", "runs asked for again"


def note(item: pytest.Item, *, runs: int, repeated: int) -> None:
    """What a test did, noted during its teardown: reports bring it to the process that counts."""
    item.user_properties += [(RUNS, runs), (REPEATED, repeated)]


def too_many(runs: int, repeated: int) -> bool:
    """Whether so many of the runs had to be asked for again that the room, or the code, must be at fault."""
    return repeated > max(1, MOST_REPEATED * runs)


class Repeats:
    """Adds up what the tests noted, and fails the session, though each test passed, when it is too much."""

    def __init__(self) -> None:
        self.total = {RUNS: 0, REPEATED: 0}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A report of a test's teardown has all that was noted."""
        if report.when == "teardown":
            for name, value in report.user_properties:
                if name in self.total:
                    self.total[name] += int(str(value))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Only where reports of all workers come together is there anything to add up."""
        if session.exitstatus == pytest.ExitCode.OK and self.too_many:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """How often, also when it is well."""
        if runs := self.total[RUNS]:
            verdict = "too many" if self.too_many else f"up to {MOST_REPEATED:.0%} may be"
            terminalreporter.section("runs")
            terminalreporter.line(f"{self.total[REPEATED]} of {runs} runs were asked for again ({verdict})")

    @property
    def too_many(self) -> bool:
        """Whether the session fails for it."""
        return too_many(self.total[RUNS], self.total[REPEATED])
