"""Lines: a run for a log: one line for each change, in the order in which it became known. Pure but for its memory."""

from collections.abc import Iterator

from showstopper.api import conditions
from showstopper.api.run import ExperimentRun
from showstopper.availability import outages
from showstopper.availability.outages import Outage
from showstopper.availability.spans import Window
from showstopper.cli.live.snapshot import Moment
from showstopper.clock import from_timestamp
from showstopper.faults import registry

# What still may be in flight between two feeds: a shorter gap is not said to be over.
_SAME_SECONDS = 0.5


class Lines:
    """Remembers what was said, and says what is new."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._lost: dict[str, Outage] = {}
        self._over: list[Outage] = []

    def news(self, moment: Moment) -> Iterator[str]:
        """The lines that this moment adds."""
        for line in _of_record(moment.run):
            if line not in self._said:
                self._said.add(line)
                yield line
        if moment.note and moment.note not in self._said:
            self._said.add(moment.note)
            yield moment.note
        yield from self._of_sound(moment)

    def _of_sound(self, moment: Moment) -> Iterator[str]:
        """Who lost the host, and who has it back, in times since the run began."""
        if moment.end <= moment.start:
            return
        view = moment.timeline.view(Window(moment.start, moment.end), moment.residents)
        found = [outage for track in view.residents for outage in outages.of_track(track)]
        for outage in sorted(found, key=lambda outage: outage.end if outage.recovered else outage.start):
            if self._is_known(outage):
                continue
            if outage.listener not in self._lost:
                yield f"{_since(moment.start, outage.start)} {outage.listener} does not hear the host any more"
            if outage.recovered:
                self._lost.pop(outage.listener, None)
                self._over.append(outage)
                yield f"{_since(moment.start, outage.end)} {outage.listener} is back after {outage.dead_air:.2f}s"
            else:
                self._lost[outage.listener] = outage

    def _is_known(self, outage: Outage) -> bool:
        """Whether its end was said already; a restarted probe may move an edge a little."""
        return any(
            known.listener == outage.listener and abs(known.start - outage.start) < _SAME_SECONDS
            for known in self._over
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
