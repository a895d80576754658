"""A run as the operator records it, step by step, and the timeline of what its two listeners told meanwhile."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rich.console import Console

from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.availability.feed import Arrival
from showstopper.availability.timeline import Timeline
from showstopper.cli.live.snapshot import LiveSnapshot
from showstopper.clock import to_timestamp
from showstopper.engine.rooms.fleet import names
from tests.availability.build import EPOCH, Story, feed, spans, timeline
from tests.support import build

LISTENERS = ("main-stage-listeners-0/0", "main-stage-listeners-0/1")
KILL = 5.0


def at(seconds: float) -> str:
    return to_timestamp(EPOCH + seconds)


def step(name: str, start: float, end: float | None = None) -> dict[str, Any]:
    fields = {"name": name, "startedAt": at(start)}
    return fields if end is None else {**fields, "completedAt": at(end)}


def recovering(**status: Any) -> ExperimentRun:
    """A run whose fault was injected five seconds after its begin."""
    return build.run(
        expect=[{"indicator": "AudibleRatio", "min": "70%"}, {"indicator": "LongestDeadAir", "max": "20s"}],
        status={
            "startedAt": at(0),
            "step": "Recovering",
            "steps": [step("Baseline", 0, KILL), step("Injecting", KILL, KILL + 0.03), step("Recovering", KILL + 0.03)],
            "targets": [target()],
            "faults": [{"name": "kill", "kind": "podKill", "targets": 1}],
            **status,
        },
    )


def target(**fields: Any) -> dict[str, Any]:
    return {
        "fault": "kill",
        "pod": "relay-a",
        "uid": "relay-a-uid",
        "node": "node1",
        "requestedAt": at(KILL),
        "answeredAt": at(KILL + 0.02),
        **fields,
    }


def judged(verdict: str = "Failed", reason: str = "ExpectationMissed", **status: Any) -> ExperimentRun:
    """The same, over."""
    return recovering(
        **{
            "verdict": verdict,
            "reason": reason,
            "message": "LongestDeadAir 31 s is not ≤ 20 s",
            "finishedAt": at(40),
            "targets": [target(goneAt=at(KILL + 2), mediaStoppedAt=at(KILL + 1.5), proven=True)],
            "faults": [{"name": "kill", "kind": "podKill", "targets": 1, "proven": True, "reverted": True}],
            "expectations": [
                {
                    "indicator": "AudibleRatio",
                    "min": "70%",
                    "outcome": "Met",
                    "value": "81.4%",
                    "margin": "11.4 points",
                },
                {"indicator": "LongestDeadAir", "max": "20s", "outcome": "Missed", "value": "31s", "margin": "-11s"},
            ],
            "outages": [
                {
                    "listener": LISTENERS[0],
                    "after": "1.5s",
                    "deadAir": "31s",
                    "silence": "2s",
                    "missing": "31.1s",
                    "recovered": False,
                }
            ],
            **status,
        }
    )


def heard(first: Story, second: Story) -> Timeline:
    """What both listeners told: their stories begin with the run."""
    closed = [span for name, story in zip(LISTENERS, (first, second), strict=True) for span in spans(name, story)]
    seconds = max(sum(length for _, length in story) for story in (first, second))
    return timeline(feed(closed, pod="main-stage-listeners-0", clock=seconds))


def snapshot(run: ExperimentRun, first: Story, second: Story, now: float, note: str = "") -> LiveSnapshot:
    return LiveSnapshot(run, heard(first, second), EPOCH + now, note)


def with_crowd(run: ExperimentRun, *expect: dict[str, Any], count: int = 40) -> ExperimentRun:
    """The same in a room with a crowd, of which something more may be expected."""
    body = dump(run)
    body["spec"]["room"]["spec"]["listeners"]["crowd"] = {"count": count}
    body["spec"]["expect"] += expect
    return ExperimentRun.parse(body)


def crowd_heard(run: ExperimentRun, *stories: Story, settled: float, arrivals: Iterable[Arrival] = ()) -> Timeline:
    """What its crowd told until then: the first listeners have these stories, all others the last one.

    Times of its newcomers are seconds from the run's begin.
    """
    kept = Timeline()
    told = [
        part
        for index, name in enumerate(names.crowd_listeners(run.room))
        for span in spans(name, stories[min(index, len(stories) - 1)])
        if (part := span.clipped(EPOCH - 1, EPOCH + settled)) is not None
    ]
    newest = {span.listener: span for span in told}
    closed = [span for span in told if newest[span.listener] is not span]
    told_by_pod = feed(closed, newest.values(), pod="main-stage-crowd-0", boot="boot-c", clock=settled + 5.0)
    kept.add(replace(told_by_pod, arrivals=tuple(arrivals)))
    return kept


def text(renderable: Any, width: int = 100) -> str:
    """What a terminal without colours shows, without the blanks at the ends of lines."""
    console = Console(width=width, record=True, file=open("/dev/null", "w"), color_system=None)  # noqa: SIM115, PTH123
    console.print(renderable)
    return "\n".join(line.rstrip() for line in console.export_text().splitlines())
