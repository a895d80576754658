"""The example of a game day, shortened: from apply over an approval to its report. Operators are killed on the way."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from dev import stage
from dev.cluster import paths
from tests.support.operator_process import Operator
from tests.support.staged_room import Object, Show, condition, eventually, finished, spoiled, told

pytestmark = pytest.mark.cluster

EXAMPLE = paths.PROJECT / "examples" / "game-days" / "rehearsal.yaml"
DAY = "rehearsal"
KILLED = "relay-killed-at-the-worst-moment"
ACT_SECONDS = 120.0
CODES = {"Passed": 0, "Failed": 1, "Inconclusive": 2, "Aborted": 3, "Error": 4}
WORST_FIRST = ("Failed", "Error", "Aborted", "Inconclusive", "Passed")


def short(recovered: int) -> Object:
    """The example with its five acts in seconds instead of minutes. What each of them does is not changed.

    `recovered` bounds RecoveryTime, in seconds. It is known ten seconds after its value.
    """
    day: Object = yaml.safe_load(EXAMPLE.read_text())
    for act in day["spec"]["acts"]:
        spec = act["experiment"]
        recoveries = [bound for bound in spec["expect"] if bound.get("indicator") == "RecoveryTime"]
        for bound in recoveries:
            bound["max"] = f"{recovered}s"
        spec["timing"] = {"baseline": "6s", "recovery": f"{recovered + 10}s" if recoveries else "8s"}
        for fault in spec["faults"]:
            if "duration" in fault:
                fault["duration"] = "5s"
            if flood := fault.get("packetFlood"):
                flood["rate"] = 5000  # the sound of all tests goes through these two processors
    return day


@pytest.fixture
def night(show: Show) -> Iterator[Night]:
    rehearsal = Night(show)
    yield rehearsal
    rehearsal.clean()


class Night:
    """A game day on the room that is heard. `seconds`: how long each thing that is waited for may take."""

    def __init__(self, show: Show, name: str = DAY, *, seconds: float = ACT_SECONDS) -> None:
        self.show, self.name, self._seconds = show, name, seconds
        self.path = show.path("gamedays", name)

    def begin(self, day: Object) -> None:
        body = copy.deepcopy(day)
        body["metadata"]["namespace"] = self.show.namespace
        self.show.apply(body)

    def day(self) -> Object:
        return self.show.api.get(self.path)

    def until(self, what: str, reached: Callable[[Object], Any], *, every: float = 0.1) -> Object:
        """The day as soon as `reached` says so of its status."""

        def ask() -> Object | None:
            day = self.day()
            if not reached(day["status"]) and day["status"].get("verdict"):
                raise AssertionError(f"the day was over before {what}: {day['status']}")
            return day if reached(day["status"]) else None

        return eventually(what, self._seconds, ask, every=every)

    def in_act(self, name: str) -> Object:
        """The day as soon as the act's fault is being injected.

        A machine with two processors that starts an operator may leave too little of a baseline known: such a run
        ends before its fault, rightly, and the act with it.
        """

        def injecting(status: Object) -> bool:
            run = next((run for run in self.runs() if run["metadata"]["name"] == record(status, name).get("run")), None)
            if run is None:
                return False
            if finished(run) and not _is_hit(run) and run["status"]["reason"] != "TooMuchUnknown":
                raise AssertionError(f"the run of act {name} was over before its fault: {told(run)}")
            return finished(run) or _is_hit(run)

        return self.until(f"act {name} is under way", injecting, every=0.05)

    def awaits(self, act: str) -> Object:
        def waits(status: Object) -> bool:
            ready = condition({"status": status}, "Ready")
            return bool(ready["reason"] == "AwaitingApproval" and status.get("act") == act)

        return self.until(f"act {act} waits for approval", waits)

    def command(self, *words: str) -> tuple[int, str]:
        """What a person types: the exit code, and what it prints."""
        done = self.show.command(*words)
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout

    def approve(self, act: str) -> None:
        assert self.command("approve", self.name, act)[0] == 0

    def over(self) -> Object:
        return self.until("the day is over", lambda status: status.get("verdict"))

    def runs(self) -> list[Object]:
        """The runs of the day, in the order in which they began."""
        label = f"showstopper.dev/game-day={self.name}"
        runs = self.show.api.get(self.show.path("experimentruns"), labelSelector=label)["items"]
        return sorted(runs, key=lambda run: run["metadata"]["creationTimestamp"])

    def repeat(self) -> None:
        """Make room for the same day once more: the machine spoiled one of its runs, which is counted."""
        self.show.runs_repeated += 1
        warnings.warn(f"the day is performed once more: {[told(run) for run in self.runs()]}", stacklevel=2)
        self.clean()
        self.show.wait_until_well()

    def forget(self) -> None:
        """Neither the day nor a run of it is left."""
        self.show.cluster.run_kubectl("-n", self.show.namespace, "delete", "gameday", self.name, "--ignore-not-found")
        eventually("the day's runs are over", ACT_SECONDS, lambda: all(map(finished, self.runs())))
        for run in self.runs():
            self.show.api.delete(self.show.path("experimentruns", run["metadata"]["name"]))
            self.show.runs_made += 1

    def clean(self) -> None:
        self.forget()
        # The last act cuts a relay off from its store. Whoever is in hears on, until the host joins again elsewhere:
        # the room looks well, and is split some seconds later.
        stage.start_afresh(self.show.cluster, namespace=self.show.namespace)


def record(status: Object, act: str) -> Object:
    return next((entry for entry in status.get("acts", []) if entry["name"] == act), {})


def _is_hit(run: Object) -> bool:
    return any(step["name"] == "Injecting" for step in run["status"].get("steps", []))


def each_once(night: Night, day: Object) -> list[Object]:
    """The runs, one for each act, in order. The day's verdict is that of the worst."""
    names = [act["name"] for act in day["spec"]["acts"]]
    status, runs = day["status"], night.runs()
    assert [act["name"] for act in status["acts"]] == names
    assert [run["spec"]["experiment"]["gameDay"]["act"] for run in runs] == names, "each act once, in order"
    assert [act["run"] for act in status["acts"]] == [run["metadata"]["name"] for run in runs]
    assert [act["verdict"] for act in status["acts"]] == [run["status"]["verdict"] for run in runs]
    assert status["verdict"] == min((run["status"]["verdict"] for run in runs), key=WORST_FIRST.index)
    assert condition(day, "Finished")["status"] == "True"
    assert (condition(day, "Ready")["status"] == "True") is (status["verdict"] == "Passed")
    assert not night.show.api.get(night.show.path("injections"))["items"], "something of it is left"
    return runs


def performed(night: Night) -> tuple[Object, list[Object]]:
    """The day when it is over, and its runs."""
    night.begin(short(recovered=10))
    held = night.awaits(KILLED)
    assert condition(held, "Suspended")["status"] == "True"
    assert [act.get("verdict") for act in held["status"]["acts"][2:]] == [None, None, None]
    night.approve(KILLED)
    day = night.over()
    runs = each_once(night, day)
    assert record(day["status"], KILLED)["hold"]["approver"]
    return day, runs


def test_the_rehearsal_from_apply_over_an_approval_to_its_report(night: Night) -> None:
    day, runs = performed(night)
    if any(map(spoiled, runs)):
        night.repeat()
        day, runs = performed(night)
    for run in runs:
        print(run["spec"]["experiment"]["gameDay"]["act"], told(run))
        assert run["status"]["verdict"] in {"Passed", "Failed"}, told(run)  # how a real room bears it is its own affair
        for fault in run["status"]["faults"]:
            assert fault["proven"], told(run)
            assert fault["reverted"] or fault["kind"] == "podKill", told(run)
    for form in ("html", "md", "junit", "json"):
        code, report = night.command("report", DAY, "-o", form)
        assert code == CODES[day["status"]["verdict"]]
        assert len(report) < 1_000_000
        assert all(act["name"] in report for act in day["status"]["acts"])
        if form == "json":
            heard = [act["run"].get("heard") for act in json.loads(report)["acts"]]
            assert all(heard), "what listeners heard is in the archive"


@pytest.mark.alone
@pytest.mark.matrix("nights")
def test_an_operator_that_is_killed_in_each_act_and_hold_performs_each_act_once(night: Night) -> None:
    day = short(recovered=4)  # how well the room comes back is not asked here
    night.begin(day)
    for act in day["spec"]["acts"]:
        if "hold" in act:
            held = night.awaits(act["name"])
            Operator(night.show).kill()
            again = night.awaits(act["name"])
            assert record(again["status"], act["name"])["hold"] == record(held["status"], act["name"])["hold"]
            night.approve(act["name"])
        night.in_act(act["name"])
        Operator(night.show).kill()
    runs = each_once(night, night.over())
    for run in runs:
        print(run["spec"]["experiment"]["gameDay"]["act"], told(run))
        assert run["status"]["verdict"] != "Error", told(run)
        hits = [target["uid"] for target in run["status"]["targets"]]
        assert len(hits) == len(set(hits)), "none was hit twice"
