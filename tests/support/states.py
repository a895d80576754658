"""States: every resource in every state that the operator writes, by the operator's own words for it.

The tests of the engine show that these states are written, against a real API server. Here they are for the judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.experiment import Experiment
from showstopper.api.gate import ReleaseGate
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import API_VERSION, Resource, dump
from showstopper.api.verdicts import Verdict
from showstopper.availability.spans import State
from showstopper.availability.verdict import Finding
from showstopper.engine.days.steps import Step
from showstopper.engine.experiments import outcomes
from showstopper.engine.gates import deciding
from showstopper.engine.rooms import status
from showstopper.engine.rooms.releases import DeployedReleases
from showstopper.engine.rooms.status import Hearing, Situation
from tests.support import build
from tests.support.gate_build import HOUR, NOW, gate, image, run, situation
from tests.support.simulated_game_day import SimulatedGameDay, by_name

Object = dict[str, Any]
STAMP = "2026-06-01T00:00:00.000000Z"
WAITING, DONE, FAILED, HELD = "waiting", "done", "failed", "held"
LATER = {"start": "2026-12-01T20:00:00Z", "end": "2026-12-01T22:00:00Z"}
APPROVAL = {"approval": True, "timeout": "1h"}


@dataclass(frozen=True, slots=True)
class Case:
    """An object in a state, and what everybody has to make of it: waiting, done, failed, or held by a person."""

    name: str
    body: Object
    means: str


def every() -> list[Case]:
    """All of them."""
    return [*_experiments(), *_runs(), *_days(), *_gates(), *_rooms()]


def body(resource: Resource, stands: Outlook | None, *, observed: int | None = None, **metadata: Any) -> Object:
    """A resource as the API has it. With `stands` None, nobody has looked at it: its status is the CRD's default."""
    made = dump(resource)
    generation = 3
    made["metadata"] |= {"generation": generation, **metadata}
    status: Object = {"observedGeneration": -1}
    if stands is not None:
        seen = generation if observed is None else observed
        written = conditions.conditions(stands, generation=seen, now=STAMP)
        status = {"observedGeneration": seen, "conditions": [dump(each) for each in written]}
    return {**made, "apiVersion": API_VERSION, "kind": resource.kind, "status": status}


def _of_everybody(resource: Resource, passed: Outlook) -> Iterator[Case]:
    kind = resource.kind
    yield Case(f"{kind}: new", body(resource, None), WAITING)
    yield Case(f"{kind}: changed since it passed", body(resource, passed, observed=2), WAITING)
    yield Case(f"{kind}: being deleted", body(resource, passed, deletionTimestamp=STAMP), WAITING)


def _judged(verdict: Verdict) -> ExperimentRun:
    return build.run(status={"verdict": verdict, "reason": "Found", "message": "what was found"})


def _experiments() -> Iterator[Case]:
    experiment: Experiment = build.experiment()
    passed = outcomes.of_run(_judged(Verdict.PASSED))
    yield from _of_everybody(experiment, passed)
    under_way = build.run()
    stands = {
        "waits for its room": (outcomes.without_room(experiment, 1), WAITING),
        "has no room": (outcomes.without_room(experiment, 999), FAILED),
        "runs": (outcomes.of_run(under_way), WAITING),
        "refused": (conditions.refused(Reason.NO_TARGETS, "no pod matches"), FAILED),
        "suspended": (outcomes.suspended(scheduled=False), HELD),
        "scheduled": (outcomes.scheduled(NOW), DONE),
        "planned": (outcomes.planned([]), DONE),
    }
    for name, (outlook, means) in stands.items():
        yield Case(f"Experiment: {name}", body(experiment, outlook), means)
    for verdict in Verdict:
        means = DONE if verdict is Verdict.PASSED else FAILED
        yield Case(f"Experiment: {verdict}", body(experiment, outcomes.of_run(_judged(verdict))), means)


def _runs() -> Iterator[Case]:
    example = build.run()
    yield from _of_everybody(example, conditions.succeeded(Reason.EXPECTATIONS_MET, "Passed"))
    yield Case(
        "ExperimentRun: queued", body(example, conditions.in_progress(Reason.WAITING_FOR_ROOM, "waits")), WAITING
    )
    yield Case("ExperimentRun: under way", body(example, conditions.in_progress(Reason.RECOVERING, "watches")), WAITING)
    yield Case("ExperimentRun: passed", body(example, conditions.succeeded(Reason.EXPECTATIONS_MET, "Passed")), DONE)
    yield Case(
        "ExperimentRun: not passed", body(example, conditions.failed(Reason.EXPECTATION_MISSED, "Failed")), FAILED
    )


def _days() -> Iterator[Case]:
    """Each by living through it: what the operator decides of a day depends on what it was before."""
    passed = _day()
    passed.settle()
    passed.end()
    yield from _of_everybody(passed.day, passed.settle().outlook)
    for name, (stands, means) in {
        "an act under way": (_day().settle(), WAITING),
        "held for a time": (_day(hold={"for": "5m"}).settle(), WAITING),
        "waits for approval": (_day(hold=APPROVAL).settle(), HELD),
        "nobody approved in time": (_late(), FAILED),
        "suspended": (_day(suspend=True).settle(), HELD),
        "before its window": (
            _day(window=LATER).settle(),
            DONE,
        ),
        "after its window": (_day(window={"end": "2026-12-01T18:00:00Z"}).settle(), FAILED),
        "nobody may approve": (_unguarded(), FAILED),
        "aborted before it began": (_day(abort=True).settle(), FAILED),
        "stopped": (_stopped(), FAILED),
    }.items():
        yield Case(f"GameDay: {name}", body(passed.day, stands.outlook), means)
    for verdict in Verdict:
        day = _day()
        day.settle()
        day.end(verdict)
        means = DONE if verdict is Verdict.PASSED else FAILED
        yield Case(f"GameDay: {verdict}", body(day.day, day.settle().outlook), means)


def _day(*, hold: Object | None = None, **spec: Any) -> SimulatedGameDay:
    """A day of one act, on the evening of which it is for."""
    return SimulatedGameDay(by_name("one", **({"hold": hold} if hold else {})), **spec)


def _late() -> Step:
    day = _day(hold=APPROVAL)
    day.settle()
    return day.settle(2 * HOUR)


def _unguarded() -> Step:
    day = _day(hold=APPROVAL)
    day.guarded = False
    return day.settle()


def _stopped() -> Step:
    day = _day()
    day.stopped = Finding(Reason.STOPPED, "the show has begun", Verdict.ABORTED)
    return day.settle()


def _gates() -> Iterator[Case]:
    declared: ReleaseGate = gate()
    good, failed = run("kill-1", "good"), run("kill-1", "good", "Failed")
    unclear = run("kill-1", "good", "Inconclusive")
    moving = DeployedReleases((image("good"),), moving="Deployment relay is being rolled out")
    held = DeployedReleases((image("good"),), held="0 of 3 pods of DaemonSet relay have its newest template: OnDelete")
    yield from _of_everybody(declared, deciding.decide(situation(good)).outlook)
    situations = {
        "open": (situation(good), DONE),
        "closed by a failure": (situation(failed), FAILED),
        "closed by another image": (situation(good, digest="newer"), FAILED),
        "a run is under way": (situation(failed, run("kill-2", "good", None)), WAITING),
        "asks for a run": (situation(gate=gate(requestRuns=True)), WAITING),
        "nobody asks for a run": (situation(), FAILED),
        "a pass too old": (situation(run("kill-1", "good", finished=NOW - 200 * HOUR)), FAILED),
        "a rollout": (situation(good, deployed=moving), WAITING),
        "an OnDelete workload": (situation(good, deployed=held), FAILED),
        "two images side by side": (situation(good, images=(image("good"), image("newer"))), FAILED),
        "an inconclusive run is asked for again": (situation(unclear, gate=gate(requestRuns=True)), WAITING),
        "an inconclusive run that nobody asks for again": (situation(unclear), FAILED),
        "suspended": (situation(good, gate=gate(suspend=True)), HELD),
        "no room": (situation(room=None), FAILED),
    }
    for name, (situated, means) in situations.items():
        yield Case(f"ReleaseGate: {name}", body(declared, deciding.decide(situated).outlook), means)


def _rooms() -> Iterator[Case]:
    """A room is ready while it is heard: it is broken before that, and after it for a minute, without being over."""
    live = Situation(Hearing(6, 6), pods=2, reporting=2, progress_at=NOW - HOUR)
    silent = replace(live, hearing=Hearing(6, 0, {State.HOLD: 6}))
    was_ready, broken = (_room(after=each) for each in (live, silent))
    yield from _of_everybody(_room(), status.outlook(_room(), live, NOW))
    situations = {
        "live": (_room(), live, DONE),
        "its listeners start": (_room(), replace(live, reporting=0, progress_at=NOW), WAITING),
        "under an experiment": (was_ready, replace(silent, run="kill-1"), DONE),
        "a change waits for a run": (was_ready, replace(live, run="kill-1", kept_back=True), WAITING),
        "not heard": (was_ready, silent, WAITING),
        "not heard for long": (broken, silent, FAILED),
        "its listeners are refused": (_room(), replace(silent, refusal="the quota is used up"), FAILED),
        "its components select listeners": (_room(), replace(live, misdescribed="relay selects the fleet"), FAILED),
        "empty while a pod drains": (was_ready, replace(live, away="relay-0"), WAITING),
    }
    for name, (room, situated, means) in situations.items():
        yield Case(f"AudioRoom: {name}", body(room, status.outlook(room, situated, NOW)), means)


def _room(after: Situation | None = None) -> AudioRoom:
    """A room. `after`: with the status that this made of it two minutes ago."""
    room = build.room()
    if after is not None:
        room.status = status.compose(room, after, status.Figures(), NOW - 120.0)
    return room
