"""A storm of joins: why it cannot be carried out, what is asked for, what proves it, and how it is told."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.faults.storm import JoinStorm, JoinTimes, RefusedJoins, StormFigures
from showstopper.faults import registry
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.crowd import CrowdBehaviour
from showstopper.faults.observed import Observed, ObservedTarget
from showstopper.faults.storm.join_storm import JoinStormBehaviour
from tests.support import build

STORM = JoinStormBehaviour()
END = datetime(2026, 1, 31, 20, 0, 30, tzinfo=UTC)
PORTS = (
    {"name": "media", "port": 50000, "endPort": 60000, "protocol": "UDP"},
    {"name": "signal", "port": 7880, "protocol": "TCP"},
)
RELAYS = tuple(
    replace(build.pod(name), address=address, media=((address, 50778),))
    for name, address in (("b", "198.18.1.3"), ("a", "198.18.1.2"))
)
ANSWERED = JoinTimes(count=50, p50="12.0ms", p95="31.4ms", longest="40.0ms")
WELL = StormFigures(asked=50, attempts=50, let_in=50, answered=50, heard=50, upgraded=ANSWERED)


def fault(duration: str = "10s", *, serving: bool | None = True, **spec: Any) -> Fault:
    target = {"component": "relay", "max": 2, **({} if serving is None else {"serving": serving})}
    declared = {"port": "signal", "joins": 50, **spec}
    return Fault.model_validate({"name": "storm", "target": target, "duration": duration, "joinStorm": declared})


def context(ports: tuple[dict[str, Any], ...] = PORTS, targets: tuple[Any, ...] = RELAYS) -> FaultContext:
    (relay, *others) = build.ROOM_SPEC["components"]
    return FaultContext("show", "main-stage", build.room(components=[relay | {"ports": ports}, *others]).spec, targets)


def objections(of: Fault, where: FaultContext | None = None) -> dict[str, str]:
    return {finding.reason: finding.message for finding in STORM.objections(of, where or context())}


def test_it_is_found_by_its_kind() -> None:
    assert isinstance(registry.of_kind(JoinStorm), JoinStormBehaviour)
    assert issubclass(JoinStormBehaviour, CrowdBehaviour)


def test_a_storm_of_the_serving_relays_can_be_carried_out() -> None:
    assert objections(fault()) == {}
    assert objections(fault(serving=None, signallingOnly=True)) == {}
    assert objections(fault(joins=None, rate=10, ramp="2s")) == {}


@pytest.mark.parametrize(
    ("of", "where", "reason", "says"),
    [
        (fault(port="nope"), context(), "UnknownPort", 'declares no port "nope"'),
        (fault(port="media"), context(), "UnknownPort", "is one of UDP, and joins go over TCP"),
        (fault(rate=5), context(), "DurationTooShort", "write a duration of at least 13s800ms"),
        (fault("3s"), context(), "DurationTooShort", "write a duration of at least 4s,"),
        (fault("60s", joins=None, rate=100), context(), "StormTooLarge", "has 5600 joins, and one pod makes 3000"),
        (fault(serving=None), context(), "MediaUnreachable", "write serving: true in the target"),
        (fault(serving=False), context(), "MediaUnreachable", "write serving: true in the target"),
        (fault(), context(PORTS[1:]), "MediaUnreachable", "declares no UDP port"),
        (
            fault(),
            context(targets=(replace(RELAYS[0], media=(("203.0.113.9", 30001),)),)),
            "MediaUnreachable",
            "from 203.0.113.9, which is not its own address",
        ),
    ],
)
def test_what_cannot_be_carried_out_says_why_and_what_to_write(
    of: Fault, where: FaultContext, reason: str, says: str
) -> None:
    messages = objections(of, where)
    assert says in messages[reason]


def test_its_gate_leads_to_joins_and_media_and_of_signalling_only_to_joins() -> None:
    full, signalling = STORM.gate(fault(), context()), STORM.gate(fault(signallingOnly=True), context())
    assert (full.signalling, [(port.port, port.last) for port in full.media]) == (7880, [(50000, 60000)])
    assert (signalling.signalling, signalling.media) == (7880, ())
    assert STORM.arrivals(fault(), context()).signalling == 7880
    effect = STORM.gate_effect(fault(), context())
    assert effect.traffic.peers == ("198.18.1.2", "198.18.1.3")


def test_its_pod_is_told_how_many_join_where_and_until_when() -> None:
    task = STORM.task(fault("20s", rate=10, ramp="2s", hidden=True), context(), END)
    assert task.joins
    assert task.module == "showstopper.audio.crowd.storm.process"
    assert task.environment == {
        "SHOWSTOPPER_STORM_TARGETS": "198.18.1.2:7880,198.18.1.3:7880",
        "SHOWSTOPPER_STORM_WITHIN": "198.18.1.2,198.18.1.3",
        "SHOWSTOPPER_STORM_TRIES": "50",
        "SHOWSTOPPER_STORM_RATE": "10",
        "SHOWSTOPPER_STORM_RAMP": "2",
        "SHOWSTOPPER_STORM_DEPTH": "full",
        "SHOWSTOPPER_STORM_VISIBILITY": "hidden",
        "SHOWSTOPPER_STORM_SECONDS": "18",
        "SHOWSTOPPER_STORM_END": "2026-01-31T20:00:30+00:00",
        "SHOWSTOPPER_STORM_REPORT": "/dev/termination-log",
        "SHOWSTOPPER_STORM_GATE": "7883",
    }


def test_without_a_number_there_are_as_many_joins_as_the_rate_makes_of_the_time() -> None:
    told = STORM.task(fault("14s", joins=None, rate=10, signallingOnly=True), context(), END).environment
    assert (told["SHOWSTOPPER_STORM_TRIES"], told["SHOWSTOPPER_STORM_DEPTH"]) == ("100", "signalling")
    at_once = STORM.task(fault(), context(), END).environment
    assert (at_once["SHOWSTOPPER_STORM_RATE"], at_once["SHOWSTOPPER_STORM_RAMP"]) == ("at-once", "0")


def gate(passed: int) -> ObservedTarget:
    return ObservedTarget("storm", proven=passed > 0, matched=passed, affected=passed)


def target(pod: str, arrived: int, *, lasted: float | None = 10.0) -> ObservedTarget:
    return ObservedTarget(pod, proven=arrived > 0, matched=arrived, affected=arrived, lasted=lasted)


def observed(storm: StormFigures | None = WELL, *, over: bool = True) -> Observed:
    targets = tuple(target(name, 300, lasted=10.0 if over else None) for name in ("a", "b"))
    return Observed("storm", targets, (gate(600),), storm=storm)


def test_it_is_proven_by_joins_that_were_all_tried_and_came_to_every_target() -> None:
    assert STORM.proof(observed()) is None
    assert STORM.outcome(observed()) == (
        "proven on every target: 50 joins tried, 50 let in, answered after 12.0ms (p95 31.4ms)"
    )


def test_while_it_lasts_what_came_to_the_targets_is_enough() -> None:
    assert STORM.proof(observed(None, over=False)) is None
    assert STORM.figures(observed(None, over=False)) == "600 packets of joins sent, 600 arrived"


def test_one_that_all_are_refused_by_is_proven_all_the_same() -> None:
    """That the room lets nobody in is what a storm is to find out."""
    refused = [RefusedJoins(reason="Unavailable", count=40), RefusedJoins(reason="TimedOut", count=10)]
    storm = WELL.model_copy(update={"let_in": 0, "refused": refused, "upgraded": None})
    assert STORM.proof(observed(storm)) is None
    assert STORM.figures(observed(storm)) == "50 joins tried, 0 let in, 50 refused (40 Unavailable, 10 TimedOut)"


@pytest.mark.parametrize(
    ("seen", "reason", "missing"),
    [
        (Observed("storm", (target("a", 1),), storm=WELL), "NoEffect", "made no join"),
        (Observed("storm", (target("a", 1),), (gate(0),), storm=WELL), "NoEffect", "made no join"),
        (
            Observed("storm", (target("a", 9), target("b", 0)), (gate(9),), storm=WELL),
            "NoEffect",
            "sent 9 packets, and none arrived at b",
        ),
        (observed(None), "NoEffect", "does not say what came of its joins"),
        (Observed("storm", (ObservedTarget("a", gone=True),), (gate(9),)), "TargetsGone", "had no target at its end"),
        (observed(WELL.model_copy(update={"attempts": 40})), "WrongDose", "tried 40 of 50 joins"),
        (observed(WELL.model_copy(update={"unknown": 3})), "WrongDose", "knows nothing of 3 of 50 joins"),
        (observed(WELL.model_copy(update={"late_seconds": 1.25})), "WrongDose", "made a join 1.2 s too late"),
    ],
)
def test_what_is_missing_is_said(seen: Observed, reason: str, missing: str) -> None:
    finding = STORM.proof(seen)
    assert finding is not None
    assert finding.reason == reason
    assert finding.message.startswith(missing)
    assert STORM.outcome(seen) == finding.message


@pytest.mark.parametrize("reason", ["Unauthorized", "NoUdp"])
def test_one_whose_visitors_were_refused_for_what_they_are_is_not_the_declared_one(reason: str) -> None:
    """A key that was changed meanwhile: the relay answers without any work, and the room stood no storm."""
    refused = [RefusedJoins(reason="Unavailable", count=10), RefusedJoins(reason=reason, count=40)]
    storm = WELL.model_copy(update={"let_in": 0, "refused": refused, "message": "HTTP 401 invalid token"})
    finding = STORM.proof(observed(storm))
    assert finding is not None
    assert finding.reason == "WrongDose"
    assert f"(40 {reason} of 50)" in finding.message
    assert finding.message.endswith("HTTP 401 invalid token")


def test_one_that_nobody_answers_may_never_have_come_to_the_relay() -> None:
    """As where a sidecar takes the connections, and drops who has no certificate of its mesh."""
    refused = [RefusedJoins(reason="Closed", count=50)]
    finding = STORM.proof(observed(StormFigures(asked=50, attempts=50, refused=refused)))
    assert finding is not None
    assert finding.reason == "NoEffect"
    assert finding.message.startswith("had none of its 50 joins answered (50 Closed)")


def test_one_of_which_few_tries_came_to_a_target_is_not_the_declared_one() -> None:
    """Half of 50 joins went to each, and every join is a packet at the least."""
    few = Observed("storm", (target("a", 300), target("b", 12)), (gate(312),), storm=WELL)
    finding = STORM.proof(few)
    assert finding is not None
    assert finding.reason == "WrongDose"
    assert "of these arrived 12 at b" in finding.message
    enough = Observed("storm", (target("a", 300), target("b", 13)), (gate(313),), storm=WELL)
    assert STORM.proof(enough) is None


def test_what_its_pod_said_is_told_where_it_did_nothing() -> None:
    report = {"ended_by": "NoGate", "storm": {"asked": 50}}
    assert STORM.excuse(report) == "its storm ended by NoGate after 0 joins"
    refused = {"ended_by": "Seconds", "storm": {"asked": 50, "attempts": 50, "message": "HTTP 401 invalid token"}}
    assert STORM.excuse(refused) == "its storm ended by Seconds after 50 joins; HTTP 401 invalid token"
    assert STORM.figures_of({"storm": "nonsense"}) is None
