"""A storm of retries: clients who are dropped all at once, and what proves that they came back."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.faults.storm import JoinTimes, RefusedJoins, RetryStorm, StormFigures
from showstopper.faults import registry
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.observed import Observed, ObservedTarget
from showstopper.faults.storm import schedule
from showstopper.faults.storm.retry_storm import RetryStormBehaviour
from tests.support import build

STORM = RetryStormBehaviour()
END = datetime(2026, 1, 31, 20, 0, 30, tzinfo=UTC)
PORTS = ({"name": "media", "port": 7882, "protocol": "UDP"}, {"name": "signal", "port": 7880, "protocol": "TCP"})
CAME = StormFigures(
    asked=50,
    attempts=130,
    let_in=100,
    refused=[RefusedJoins(reason="Unavailable", count=30)],
    dropped=50,
    back=50,
    came_back=JoinTimes(count=50, p50="400.0ms", p95="1200.0ms", longest="1300.0ms"),
)


def fault(duration: str = "20s", *, serving: bool | None = True, **spec: Any) -> Fault:
    target = {"component": "relay", **({} if serving is None else {"serving": serving})}
    declared = {"port": "signal", "clients": 50, "tries": 1000, **spec}
    return Fault.model_validate({"name": "storm", "target": target, "duration": duration, "retryStorm": declared})


def context() -> FaultContext:
    (relay, *others) = build.ROOM_SPEC["components"]
    room = build.room(components=[relay | {"ports": PORTS}, *others])
    return FaultContext("show", "main-stage", room.spec, (replace(build.pod("a"), address="198.18.1.2"),))


def test_it_is_found_by_its_kind_and_has_the_bounds_of_the_api() -> None:
    assert isinstance(registry.of_kind(RetryStorm), RetryStormBehaviour)
    fields = RetryStorm.model_json_schema()["properties"]
    assert fields["clients"]["maximum"] == schedule.MOST_CLIENTS
    assert fields["tries"]["maximum"] == schedule.MOST_TRIES == STORM.most


@pytest.mark.parametrize(
    ("of", "reason", "says"),
    [
        (fault(), None, ""),
        (fault(rate=20, drop="6s"), None, ""),
        (fault("9s"), None, ""),
        (fault("8s"), "DurationTooShort", "write a duration of at least 9s"),
        (fault(rate=10), "DurationTooShort", "write a drop of at least 6s900ms"),
        (fault(serving=None), "MediaUnreachable", "write serving: true"),
        (fault(serving=None, signallingOnly=True), None, ""),
    ],
)
def test_what_cannot_be_carried_out_says_why(of: Fault, reason: str | None, says: str) -> None:
    findings = list(STORM.objections(of, context()))
    assert [finding.reason for finding in findings] == ([reason] if reason else [])
    assert all(says in finding.message for finding in findings)


def test_its_pod_is_told_when_all_are_dropped_and_how_long_to_wait_between_tries() -> None:
    told = STORM.task(fault(drop="6s", pause="100ms"), context(), END).environment
    assert told["SHOWSTOPPER_STORM_TRIES"] == "1000"
    assert told["SHOWSTOPPER_STORM_CLIENTS"] == "50"
    assert (told["SHOWSTOPPER_STORM_DROP"], told["SHOWSTOPPER_STORM_PAUSE"]) == ("6", "0.1")
    assert told["SHOWSTOPPER_STORM_SECONDS"] == "18"


def observed(**changes: Any) -> Observed:
    target = ObservedTarget("a", proven=True, matched=900, affected=900, lasted=20.0)
    gate = ObservedTarget("x", proven=True, affected=900)
    return Observed("storm", (target,), (gate,), storm=CAME.model_copy(update=changes))


def test_it_is_proven_by_clients_who_were_dropped_whether_or_not_they_got_back() -> None:
    assert STORM.proof(observed()) is None
    assert STORM.figures(observed()) == (
        "130 joins tried, 100 let in, 30 refused (30 Unavailable), 50 dropped, 50 back after 400.0ms (p95 1200.0ms)"
    )
    nobody = observed(back=0, came_back=None)
    assert STORM.proof(nobody) is None
    assert "50 dropped, 0 back" in STORM.figures(nobody)


def test_a_few_who_had_lost_their_sessions_are_told_of() -> None:
    few = observed(dropped=45, gone=5, back=45)
    assert STORM.proof(few) is None
    assert "45 dropped, 5 gone before that, 45 back" in STORM.figures(few)


@pytest.mark.parametrize(
    ("changes", "reason", "says"),
    [
        ({"dropped": 0, "back": 0}, "NoEffect", "dropped nobody"),
        ({"dropped": 0, "gone": 50, "back": 0}, "WrongDose", "dropped 0 of 50 clients who had been in"),
        ({"dropped": 39, "gone": 11, "back": 39}, "WrongDose", "dropped 39 of 50 clients who had been in"),
        ({"attempts": 40}, "WrongDose", "tried 40 of 50 joins"),
    ],
)
def test_without_anybody_to_drop_nothing_was_tested(changes: dict[str, Any], reason: str, says: str) -> None:
    finding = STORM.proof(observed(**changes))
    assert finding is not None
    assert (finding.reason, finding.message.startswith(says)) == (reason, True)
