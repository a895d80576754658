"""Log: a line for each change of a run, in the order in which changes became known. Pure but for its memory."""

from collections.abc import Iterator

from showstopper.api import conditions
from showstopper.api.run import ExperimentRun
from showstopper.availability import outages
from showstopper.availability.outages import Outage
from showstopper.availability.spans import Window
from showstopper.cli.live.snapshot import LiveSnapshot
from showstopper.clock import from_timestamp
from showstopper.faults import registry

_SAME_SECONDS = 0.5
"""Reports of two feeds may differ by this much: an outage that began within it is the same one."""


class RunLog:
    """The log of one run. It remembers what it has printed."""

    def __init__(self) -> None:
        self._printed: set[str] = set()
        self._current: dict[str, Outage] = {}
        self._ended: list[Outage] = []

    def news(self, snapshot: LiveSnapshot) -> Iterator[str]:
        """The lines that are new in this snapshot."""
        for line in _of_record(snapshot.run):
            if line not in self._printed:
                self._printed.add(line)
                yield line
        if snapshot.note and snapshot.note not in self._printed:
            self._printed.add(snapshot.note)
            yield snapshot.note
        yield from self._of_sound(snapshot)

    def _of_sound(self, snapshot: LiveSnapshot) -> Iterator[str]:
        """Which listeners lost the host, and which have it back, in times since the run began."""
        if snapshot.end <= snapshot.start:
            return
        view = snapshot.timeline.view(Window(snapshot.start, snapshot.end), snapshot.residents)
        own = [outage for track in view.residents for outage in outages.of_track(track)]
        for outage in sorted(own, key=lambda outage: outage.end if outage.recovered else outage.start):
            if self._is_known(outage):
                continue
            if outage.listener not in self._current:
                yield f"{_since(snapshot.start, outage.start)} {outage.listener} no longer hears the host"
            if outage.recovered:
                self._current.pop(outage.listener, None)
                self._ended.append(outage)
                yield f"{_since(snapshot.start, outage.end)} {outage.listener} is back after {outage.dead_air:.2f}s"
            else:
                self._current[outage.listener] = outage

    def _is_known(self, outage: Outage) -> bool:
        """Whether its end was printed. A restarted listener may move an edge a little."""
        return any(
            known.listener == outage.listener and abs(known.start - outage.start) < _SAME_SECONDS
            for known in self._ended
        )


def _of_record(run: ExperimentRun) -> Iterator[str]:
    status = run.status
    if not status.steps:
        ready = conditions.find(status.conditions, conditions.ConditionType.READY)
        if ready is not None and ready.message:
            yield f"        {ready.reason}: {ready.message}"
        return
    start = from_timestamp(status.started_at or status.steps[0].started_at)
    for step in status.steps:
        yield f"{_since(start, from_timestamp(step.started_at))} {step.name}"
        if step.name == "Injecting" and step.completed_at:
            for target in status.targets:
                action = registry.of(run.fault(target.fault).spec).action
                yield f"{_since(start, from_timestamp(step.completed_at))} {target.fault}: {action} {target.pod}"
    for fault in status.faults:
        if fault.proven:
            yield f"        {fault.name}: proven"


def _since(start: float, moment: float) -> str:
    return f"{moment - start:+7.2f}s"
