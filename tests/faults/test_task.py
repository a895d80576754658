"""What every task is told, whatever its kind calls it."""

from dataclasses import astuple
from datetime import UTC, datetime

import pytest

from showstopper.faults import task
from showstopper.faults.endpoint import Endpoint
from showstopper.faults.flood import settings as flood
from showstopper.faults.storm import settings as storm
from showstopper.faults.task import Names

END = datetime(2026, 1, 31, 20, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("names", [flood.TASK, storm.TASK])
def test_a_task_goes_to_its_targets_and_ends(names: Names) -> None:
    targets = (Endpoint("198.18.1.2", 7882), Endpoint("198.18.1.1", 7882), Endpoint("fd00::5", 7882))
    assert task.environment(names, targets, END) == {
        names.targets: "198.18.1.2:7882,198.18.1.1:7882,[fd00::5]:7882",
        names.within: "198.18.1.1,198.18.1.2,fd00::5",
        names.end: "2026-01-31T20:00:30+00:00",
        names.report: "/dev/termination-log",
        names.gate: "7883",
    }


def test_no_two_variables_of_a_kind_have_the_same_name() -> None:
    names = [*astuple(flood.TASK), *astuple(storm.TASK)]
    assert len(set(names)) == len(names)
