"""Record: all that a report is made from: runs as they were written down, and what their listeners told meanwhile."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from showstopper.api.experiment import Fault
from showstopper.api.run import ExperimentRun, FaultRecord, ReleaseImage, StepName, TargetRecord
from showstopper.availability.spans import Window
from showstopper.availability.tracks import View
from showstopper.clock import from_timestamp

NOT_KNOWN = "what the listeners heard is not available: no archive kept it, and the room no longer tells"


@dataclass(frozen=True, slots=True)
class Record:
    """One run, whoever kept it.

    Attributes:
        run: its newest form.
        body: the same as the API has it.
        heard: what each listener heard from the run's begin to its end, `in_order`. None: nothing is known of it.
        note: why nothing is known of it, else empty.
        versions: of what was under test and what tested it, by name, in the order in which they are shown.
        crowd: what each listener of the room's crowd heard, `in_order`. None: nothing, or the room has no crowd.
    """

    run: ExperimentRun
    body: Mapping[str, Any]
    heard: View | None = None
    note: str = NOT_KNOWN
    versions: Mapping[str, str] = field(default_factory=dict)
    crowd: View | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """What a day waited for before an act: the words of the hold, who approved it, and when (RFC 3339)."""

    words: str
    approver: str = ""
    approved_at: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a day. `record`: its run, if it came to one. `verdict` and `message` are the result of the act."""

    name: str
    verdict: str = ""
    message: str = ""
    hold: Hold | None = None
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A game day: its acts in order, with what came of the whole. Times are RFC 3339, empty where there is none."""

    namespace: str
    name: str
    verdict: str
    reason: str
    message: str
    acts: tuple[Act, ...]
    started_at: str = ""
    finished_at: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FaultWindow:
    """When a fault was there: [start, end) in unix seconds. What is done in an instant has no length.

    `lifted`: its end is known. Else it is drawn to the end of the run, which is the longest that it can have been.
    """

    name: str
    kind: str
    start: float
    end: float
    proven: bool
    lifted: bool


def by_container(release: Iterable[ReleaseImage]) -> dict[tuple[str, str], list[ReleaseImage]]:
    """The images of a release by component and container, which may have had several: a rollout was not over."""
    images: dict[tuple[str, str], list[ReleaseImage]] = {}
    for image in release:
        images.setdefault((image.component, image.container), []).append(image)
    return images


def in_order(view: View) -> View:
    """The same with the residents in the order of their numbers: the tenth after the ninth."""
    return replace(view, residents=tuple(sorted(view.residents, key=lambda track: _parts(track.listener))))


def _parts(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


def window_of(run: ExperimentRun) -> Window | None:
    """From the run's begin to its end, for which spans are wanted. None: it never began, or is not over."""
    begin, end = run.status.started_at, run.status.finished_at
    if begin is None or end is None:
        return None
    return Window(from_timestamp(begin), from_timestamp(end))


def fault_windows(run: ExperimentRun) -> tuple[FaultWindow, ...]:
    """The faults that were begun, in the order in which they are declared."""
    windows = (_fault_window(run, fault) for fault in run.spec.faults)
    return tuple(window for window in windows if window is not None)


def _fault_window(run: ExperimentRun, fault: Fault) -> FaultWindow | None:
    """From the first target's arming (or call) to the last one's lifting.

    The record of the fault is over all its targets. The status names some of them, and perhaps none of this fault.
    """
    record = next((record for record in run.status.faults if record.name == fault.name), None)
    targets = [target for target in run.status.targets if target.fault == fault.name]
    start = _start(record, targets)
    if start is None:
        return None
    end = start if fault.spec.instant else _end(run, record, targets)
    return FaultWindow(
        name=fault.name,
        kind=fault.kind,
        start=start,
        end=end if end is not None else _longest(run, start),
        proven=record is not None and record.proven,
        lifted=end is not None,
    )


def _start(record: FaultRecord | None, targets: list[TargetRecord]) -> float | None:
    """When the first target was hit, or called where nothing tells more. None: the fault was not begun."""
    if record is not None and record.armed_at is not None:
        return from_timestamp(record.armed_at)
    begun = [from_timestamp(moment) for target in targets if (moment := target.armed_at or target.requested_at)]
    return min(begun, default=None)


def _end(run: ExperimentRun, record: FaultRecord | None, targets: list[TargetRecord]) -> float | None:
    """When the last target was free again. None: that is not known of all of them."""
    if record is not None and record.lifted_at is not None:
        return from_timestamp(record.lifted_at)
    lifted = [from_timestamp(target.lifted_at) for target in targets if target.lifted_at]
    if lifted and len(lifted) == len(targets):
        return max(lifted)
    reverting = next((step for step in run.status.steps if step.name is StepName.REVERTING), None)
    return from_timestamp(reverting.completed_at) if reverting is not None and reverting.completed_at else None


def _longest(run: ExperimentRun, start: float) -> float:
    """The end of the run, which is the latest that is told of."""
    return max(start, from_timestamp(run.status.finished_at)) if run.status.finished_at else start
