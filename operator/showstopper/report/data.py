"""Data: a report for programs. The shape is stable: fields may be added, none changes its meaning or goes. Pure.

Names are spelled as in the API, times are RFC 3339. What is not known is left out, never guessed. Spans are seconds
from the run's begin.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, Field

from showstopper.api.experiment import AbortIf, Expectation
from showstopper.api.run import (
    ExpectationRecord,
    FaultRecord,
    OutageRecord,
    ReleaseImage,
    SharedStart,
    Step,
    TargetRecord,
    WindowRecord,
)
from showstopper.api.schema.base import Status, dump
from showstopper.availability.density import Density
from showstopper.availability.tracks import Track
from showstopper.clock import to_timestamp
from showstopper.report import crowds
from showstopper.report.cells import coarse
from showstopper.report.record import Act, Day, FaultWindow, Record, fault_windows

SHAPE = "showstopper.dev/report/v1"
MOST_PIECES = 2000


class SpanData(Status):
    """A listener in one state, with `from` and `to` in seconds from the run's begin."""

    state: str
    from_: Annotated[float, Field(alias="from")]
    to: float


class ListenerData(Status):
    """What one listener heard: `kind` is Resident or Arrival."""

    listener: str
    kind: str
    spans: list[SpanData]


class DensityData(Status):
    """How many of a crowd were in each state, with `from` and `to` in seconds from the run's begin: the mean."""

    from_: Annotated[float, Field(alias="from")]
    to: float
    listeners: dict[str, float]


class NewcomersData(Status):
    """How many newcomers called, and how many of them heard the host."""

    called: int
    heard: int


class CrowdData(Status):
    """What a room's crowd heard: how many were in each state (at most 2,000 rows), and the spans of the five who missed
    most. What its record has is beside it: `windows`, `starts` and `outages`. `limits`: what a crowd cannot show.
    `newcomers`: counts, if it has any.
    """

    count: int
    hidden: bool
    limits: str
    windows: list[WindowRecord] = []
    starts: list[SharedStart] = []
    outages: list[OutageRecord] = []
    heard: list[DensityData] | None = None
    worst: list[ListenerData] | None = None
    newcomers: NewcomersData | None = None


class FaultWindowData(Status):
    """When a fault was there. `lifted` false: its end is not known, and `to` is the end of the run."""

    fault: str
    kind: str
    from_: Annotated[str, Field(alias="from")]
    to: str
    proven: bool
    lifted: bool


class RunData(Status):
    """One run. `heard` is not there, and `note` says why, where nothing is known of the listeners."""

    shape: str = SHAPE
    kind: str = "RunReport"
    namespace: str
    name: str
    experiment: str
    revision: str
    room: str
    verdict: str | None
    reason: str | None
    message: str | None
    started_at: str | None
    finished_at: str | None
    expect: list[Expectation]
    abort_if: list[AbortIf]
    expectations: list[ExpectationRecord]
    faults: list[FaultRecord]
    fault_windows: list[FaultWindowData]
    targets: list[TargetRecord]
    steps: list[Step]
    windows: list[WindowRecord]
    outages: list[OutageRecord]
    release: list[ReleaseImage]
    versions: dict[str, str]
    note: str | None = None
    heard: list[ListenerData] | None = None
    crowd: CrowdData | None = None


class ActData(Status):
    """One act of a day. An act that came to no run has no `run`."""

    name: str
    verdict: str
    message: str
    approver: str | None = None
    approved_at: str | None = None
    run: RunData | None = None


class DayData(Status):
    """A game day."""

    shape: str = SHAPE
    kind: str = "GameDayReport"
    namespace: str
    name: str
    verdict: str
    reason: str
    message: str
    started_at: str
    finished_at: str
    acts: list[ActData]


def of_run(record: Record) -> str:
    """The document of one run."""
    return _text(run_data(record))


def of_day(day: Day) -> str:
    """The document of a game day."""
    return _text(
        DayData(
            namespace=day.namespace,
            name=day.name,
            verdict=day.verdict,
            reason=day.reason,
            message=day.message,
            started_at=day.started_at,
            finished_at=day.finished_at,
            acts=[_act(act) for act in day.acts],
        )
    )


def run_data(record: Record) -> RunData:
    """A run as data."""
    metadata, spec, status = record.run.metadata, record.run.spec, record.run.status
    return RunData(
        namespace=metadata.namespace,
        name=metadata.name,
        experiment=spec.experiment.name,
        revision=spec.experiment.revision,
        room=spec.room.name,
        verdict=status.verdict,
        reason=status.reason,
        message=status.message,
        started_at=status.started_at,
        finished_at=status.finished_at,
        expect=list(spec.expect),
        abort_if=list(spec.abort_if),
        expectations=status.expectations,
        faults=status.faults,
        fault_windows=[_fault_window(window) for window in fault_windows(record.run)],
        targets=status.targets,
        steps=status.steps,
        windows=status.windows,
        outages=status.outages,
        release=list(record.run.release),
        versions=dict(record.versions),
        note=record.note or None,
        heard=None if record.heard is None else list(_heard(record.heard.tracks, record.heard.window.start)),
        crowd=_crowd(record),
    )


def _crowd(record: Record) -> CrowdData | None:
    declared = crowds.of(record.run)
    if declared is None:
        return None
    data = CrowdData(count=declared.count, hidden=declared.hidden, limits=crowds.limits(declared))
    if (kept := record.run.status.crowd) is not None:
        data.windows, data.starts, data.outages = kept.windows, kept.starts, kept.outages
    if (view := record.crowd) is not None:
        begin = view.window.start
        data.heard = [_density(piece, begin) for piece in crowds.band(view, MOST_PIECES)]
        worst = (replace(track, spans=coarse(track, view.window, MOST_PIECES)) for track in crowds.worst(view))
        data.worst = list(_heard(worst, begin))
        if declared.arrivals is not None:
            called, heard = crowds.newcomers(view)
            data.newcomers = NewcomersData(called=called, heard=heard)
    return data


def _density(piece: Density, begin: float) -> DensityData:
    return DensityData(
        from_=round(piece.start - begin, 3),
        to=round(piece.end - begin, 3),
        listeners={str(state): round(count, 3) for state, count in piece.counts.items()},
    )


def _fault_window(window: FaultWindow) -> FaultWindowData:
    return FaultWindowData(
        fault=window.name,
        kind=window.kind,
        from_=to_timestamp(window.start),
        to=to_timestamp(window.end),
        proven=window.proven,
        lifted=window.lifted,
    )


def _heard(tracks: Iterable[Track], begin: float) -> Iterable[ListenerData]:
    for track in tracks:
        spans = [
            SpanData(state=span.state, from_=round(span.start - begin, 3), to=round(span.end - begin, 3))
            for span in track.spans
        ]
        yield ListenerData(listener=track.listener, kind=track.kind, spans=spans)


def _act(act: Act) -> ActData:
    return ActData(
        name=act.name,
        verdict=act.verdict,
        message=act.message,
        approver=(act.hold.approver or None) if act.hold else None,
        approved_at=(act.hold.approved_at or None) if act.hold else None,
        run=run_data(act.record) if act.record else None,
    )


def _text(data: BaseModel) -> str:
    shown: dict[str, Any] = dump(data)
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"
