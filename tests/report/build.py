"""Records of runs and days for tests: what an operator would have written, and what listeners would have told."""

from dataclasses import replace
from typing import Any

from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.api.verdicts import Verdict
from showstopper.availability.feed import Arrival
from showstopper.availability.spans import Kind, Span, State
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.clock import to_timestamp
from showstopper.engine.rooms.fleet.names import crowd_listeners
from showstopper.report.record import Act, Day, Hold, Record, in_order, window_of
from tests.availability.build import EPOCH, H, J, L, N, O, Q, Story, U, arrival_json, feed, spans
from tests.support import build

VERSIONS = {
    "showstopper (this report)": "0.1.0",
    "Kubernetes (now)": "v1.34.4",
    "relay/livekit": "registry.example/livekit:v1.9.12 sha256:" + "a1" * 32,
}
REASONS = {
    Verdict.PASSED: "ExpectationsMet",
    Verdict.FAILED: "ExpectationMissed",
    Verdict.INCONCLUSIVE: "FaultNotProven",
    Verdict.ABORTED: "AbortIf",
    Verdict.ERROR: "APIServerFailed",
}
KILL = 15.0
END = 76.0


def at(seconds: float) -> str:
    return to_timestamp(EPOCH + seconds)


def image(digest: str) -> dict[str, str]:
    """An image of the relay, as a run's status has it."""
    return {"component": "relay", "container": "livekit", "image": "r/livekit:v1.9.13", "digest": digest}


def run(verdict: Verdict | None = Verdict.PASSED, *, start: float = 0.0, **status: Any) -> ExperimentRun:
    """A relay is killed while another's packets are lost; what is measured follows from the verdict."""
    told = verdict in {Verdict.PASSED, Verdict.FAILED}
    proven = verdict is not Verdict.INCONCLUSIVE
    name = f"relay-pod-kill-{str(verdict or 'none').lower()}"
    return build.run(
        name,
        experiment={"name": "relay-pod-kill", "revision": "2026.11.3"},
        release=[{"component": "relay", "container": "livekit", "image": "r/livekit:v1.9.12", "digest": "sha256:a1"}],
        timing={"baseline": "15s", "recovery": "40s"},
        faults=[
            build.fault("kill-the-serving-relay", serving=True),
            {
                "name": "lossy-media",
                "target": {"component": "relay"},
                "duration": "20s",
                "packetLoss": {"percent": "5%"},
            },
        ],
        expect=[
            {"indicator": "AudibleRatio", "min": "70%"},
            {"indicator": "LongestDeadAir", "max": "20s"},
            {"indicator": "RecoveryTime", "max": "25s"},
            {"indicator": "JoinSuccess", "min": "99%"},
        ],
        status={
            "startedAt": at(start),
            "finishedAt": at(start + END),
            "step": "Judged",
            "steps": _steps(start),
            "targets": _targets(start, proven=proven),
            "faults": _faults(proven=proven),
            "windows": _windows(start),
            "expectations": _expectations(failed=verdict is Verdict.FAILED, told=told),
            "outages": [
                _outage("main-stage-listeners-0/0", 5.2),
                _outage("main-stage-listeners-0/1", 14.5, recovered=False),
            ],
            "verdict": verdict and str(verdict),
            "reason": verdict and REASONS[verdict],
            "message": verdict and f"this is what was found: {verdict}",
            "audible": "91.5%",
            "deadAir": "14.5s",
            "recovery": "7.65s",
            **status,
        },
    )


def _steps(start: float) -> list[dict[str, Any]]:
    edges = {
        "Baseline": 0.0,
        "Injecting": KILL,
        "Active": KILL + 0.1,
        "Reverting": KILL + 20,
        "Recovering": KILL + 20.2,
    }
    names = list(edges)
    ends = [*list(edges.values())[1:], END]
    done_steps = [
        {"name": name, "startedAt": at(start + edges[name]), "completedAt": at(start + end)}
        for name, end in zip(names, ends, strict=True)
    ]
    return [*done_steps, {"name": "Judged", "startedAt": at(start + END)}]


def _targets(start: float, *, proven: bool) -> list[dict[str, Any]]:
    common = {"uid": "687645b5-0000-4000-8000-000000000001", "node": "node1", "requestedAt": at(start + KILL)}
    return [
        {
            **common,
            "fault": "kill-the-serving-relay",
            "pod": "relay-687645b55d-ztdts",
            "answeredAt": at(start + KILL + 0.038),
            **({"mediaStoppedAt": at(start + KILL + 2.13), "goneAt": at(start + KILL + 0.14)} if proven else {}),
            "proven": proven,
        },
        {
            **common,
            "fault": "lossy-media",
            "pod": "relay-687645b55d-qx7lm",
            "armedAt": at(start + KILL + 0.06),
            "liftedAt": at(start + KILL + 20.1),
            "matched": 9412 if proven else 0,
            "affected": 471 if proven else 0,
            "proven": proven,
        },
    ]


def _faults(*, proven: bool) -> list[dict[str, Any]]:
    return [
        {"name": name, "kind": kind, "targets": 1, "proven": proven, "reverted": True}
        for name, kind in (("kill-the-serving-relay", "podKill"), ("lossy-media", "packetLoss"))
    ]


def _windows(start: float) -> list[dict[str, Any]]:
    before = [{"indicator": "AudibleRatio", "value": "100%", "samples": 6}]
    after = [
        {
            "indicator": "AudibleRatio",
            "value": "91.5%",
            "samples": 6,
            "atLeast": "90.9%",
            "atMost": "92.1%",
            "worstListener": "main-stage-listeners-0/1",
            "worst": "76.2%",
        },
        {
            "indicator": "LongestDeadAir",
            "value": "14.5s",
            "samples": 6,
            "worstListener": "main-stage-listeners-0/1",
            "worst": "14.5s",
        },
        {"indicator": "RecoveryTime", "value": "7.65s", "samples": 6},
        {"indicator": "JoinSuccess", "samples": 0, "reason": "no newcomer called in this window"},
    ]
    return [
        {"name": "Baseline", "from": at(start), "to": at(start + KILL), "residents": 6, "indicators": before},
        {"name": "Judged", "from": at(start + KILL), "to": at(start + END), "residents": 6, "indicators": after},
    ]


def _expectations(*, failed: bool, told: bool) -> list[dict[str, Any]]:
    if not told:
        names = (("AudibleRatio", "min", "70%"), ("LongestDeadAir", "max", "20s"))
        more = (("RecoveryTime", "max", "25s"), ("JoinSuccess", "min", "99%"))
        return [
            {"indicator": name, bound: text, "outcome": "Unmeasured", "message": "the run ended before"}
            for name, bound, text in (*names, *more)
        ]
    measured = {"value": "98.2%" if failed else "100%", "margin": "-0.8 points" if failed else "1 points"}
    return [
        {"indicator": "AudibleRatio", "min": "70%", "outcome": "Met", "value": "91.5%", "margin": "21.5 points"},
        {"indicator": "LongestDeadAir", "max": "20s", "outcome": "Met", "value": "14.5s", "margin": "5.5s"},
        {"indicator": "RecoveryTime", "max": "25s", "outcome": "Met", "value": "7.65s", "margin": "17.35s"},
        {"indicator": "JoinSuccess", "min": "99%", "outcome": "Missed" if failed else "Met", **measured},
    ]


def _outage(listener: str, seconds: float, *, recovered: bool = True) -> dict[str, Any]:
    return {
        "listener": listener,
        "after": "2.48s",
        "deadAir": f"{seconds:g}s",
        "silence": "0.1s",
        "missing": f"{seconds + 0.33:g}s",
        "recovered": recovered,
    }


def heard(whole: ExperimentRun, *, listeners: int = 6) -> View:
    """What residents told of the run: each loses the host for a while, each in another way; newcomers come and go."""
    window = window_of(whole)
    assert window is not None
    ways: list[list[tuple[State, float]]] = [
        [(N, 1.0), (O, 1.5), (J, 2.7)],
        [(Q, 9.0), (H, 5.5)],
        [(State.STALE, 4.0)],
        [(U, 6.0)],
        [(N, 2.0)],
        [],
    ]
    start = window.start - EPOCH
    told: list[Span] = []
    names = [f"main-stage-listeners-{index // 3}/{index}" for index in range(listeners)]
    for index, name in enumerate(names):
        way = ways[index % len(ways)]
        lost = sum(seconds for _, seconds in way)
        story: Story = [(L, KILL + 2.0), *way, (L, window.seconds - KILL - 2.0 - lost)]
        told += spans(name, story, start)
    calls = []
    for index in range(int(window.seconds // 8)):
        called, name = start + 1.0 + index * 8, f"main-stage-listeners-0/a{index}"
        told += spans(name, [(J, 0.6), (L, 14.0)], called, Kind.ARRIVAL)
        calls.append(
            arrival_json(name, called, called + 14.6, joined=called + 0.4, audio=called + 0.6, live=called + 0.6)
        )
    timeline = Timeline()
    timeline.add(feed(told, arrivals=calls, clock=start + window.seconds))
    return in_order(timeline.view(window, names))


def record(verdict: Verdict | None = Verdict.PASSED, *, listeners: int = 6, **status: Any) -> Record:
    """The run with all that there can be."""
    experiment_run = run(verdict, **status)
    return Record(experiment_run, body(experiment_run), heard(experiment_run, listeners=listeners), "", VERSIONS)


CROWD = 40


def with_crowd(verdict: Verdict | None = Verdict.FAILED, *, count: int = CROWD, hidden: bool = True) -> Record:
    """The same in a room with a crowd: it misses more than the residents do, and is expected to hear."""
    made = run(verdict)
    fields = dump(made)
    fields["spec"]["room"]["spec"]["listeners"]["crowd"] = {"count": count, "perPod": 1000, "hidden": hidden}
    fields["spec"]["expect"].append({"indicator": "AudibleRatio", "listeners": "Crowd", "min": "95%"})
    fields["status"]["expectations"].append(
        {
            "indicator": "AudibleRatio of the crowd",
            "min": "95%",
            "outcome": "Missed",
            "value": "93.8%",
            "margin": "-1.2 points",
        }
    )
    fields["status"]["crowd"] = _crowd_record()
    whole = ExperimentRun.parse(fields)
    return Record(whole, body(whole), heard(whole), "", VERSIONS, crowd_heard(whole))


def with_newcomers() -> Record:
    """The same, with three newcomers of the crowd, one of whom did not hear the host."""
    made = with_crowd()
    fields = dump(made.run)
    fields["spec"]["room"]["spec"]["listeners"]["crowd"]["arrivals"] = {"every": "5s", "stay": "4s"}
    whole = ExperimentRun.parse(fields)
    assert made.crowd is not None
    begin = made.crowd.window.start

    def call(number: int, heard: float | None) -> Arrival:
        called, left = begin + 5.0 * number, begin + 5.0 * number + 4.0
        name = f"main-stage-crowd-0/a{number}"
        return Arrival(name, called, called + 0.5, heard, heard, left, "", left, left, followed=False)

    calls = (call(0, begin + 1.0), call(1, None), call(2, begin + 11.0))
    return replace(made, run=whole, body=body(whole), crowd=replace(made.crowd, calls=calls))


def _crowd_record() -> dict[str, Any]:
    def window(name: str, start: float, end: float, *figures: tuple[str, str]) -> dict[str, Any]:
        indicators = [
            {"indicator": f"{each} of the crowd", "value": value, "samples": CROWD} for each, value in figures
        ]
        return {"name": name, "from": at(start), "to": at(end), "residents": CROWD, "indicators": indicators}

    return {
        "windows": [
            window("Baseline", 0, KILL, ("AudibleRatio", "100%"), ("LongestDeadAir", "0s")),
            window("Judged", KILL, END, ("AudibleRatio", "93.8%"), ("LongestDeadAir", "14.2s")),
        ],
        "starts": [{"after": "2s", "fleetLater": "3.1ms"}],
        "outages": [_outage(f"main-stage-crowd-0/{slot}", 14.2 - slot) for slot in range(3)],
    }


def crowd_heard(whole: ExperimentRun) -> View:
    """What a crowd told of the run: half of it loses the host, and comes back one after the other."""
    window = window_of(whole)
    assert window is not None
    names = crowd_listeners(whole.room)
    told: list[Span] = []
    for slot, name in enumerate(names):
        lost = 6.0 + 8.0 * slot / len(names)
        way: Story = [(N, 1.5), (J, lost), (U, 0.1)] if slot % 2 == 0 else [(U, 0.1)]
        rest = window.seconds - KILL - 2.0 - sum(seconds for _, seconds in way)
        told += spans(name, [(L, KILL + 2.0), *way, (L, rest)], window.start - EPOCH)
    timeline = Timeline()
    timeline.add(feed(told, clock=window.end - EPOCH, pod="main-stage-crowd-0", boot="boot-crowd"))
    return in_order(timeline.view(window, names))


def silent(verdict: Verdict | None = Verdict.PASSED, **status: Any) -> Record:
    """The same, of which no listener tells anything."""
    experiment_run = run(verdict, **status)
    return Record(experiment_run, body(experiment_run), versions=VERSIONS)


def body(experiment_run: ExperimentRun) -> dict[str, Any]:
    """The resource as the API has it."""
    return {"apiVersion": "showstopper.dev/v1alpha1", "kind": "ExperimentRun", **dump(experiment_run)}


def day(verdict: Verdict = Verdict.FAILED, *, listeners: int = 6) -> Day:
    """Three acts: one passes, one waits for a person and fails, and the last is not come to."""
    return Day(
        namespace="show",
        name="rehearsal",
        verdict=str(verdict),
        reason="ActFailed",
        message="act relay-killed failed",
        acts=(
            Act("newcomers", "Passed", "all expectations were met", None, record(Verdict.PASSED, listeners=listeners)),
            Act(
                "relay-killed",
                "Failed",
                "JoinSuccess 98.2 % < 99 %",
                Hold("approval, within 1h", "ada", at(100)),
                record(Verdict.FAILED, listeners=listeners, start=120.0),
            ),
            Act("cut-off", "", "the day had ended", Hold("for 5m")),
        ),
        started_at=at(0),
        finished_at=at(200),
    )
