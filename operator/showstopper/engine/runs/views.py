"""Views: what listeners told of a window of a run, and the same without what the room's own host explains. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from showstopper.api.experiment import Fleet
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom
from showstopper.api.run import BaselineRecord, ExperimentRun
from showstopper.availability import due, excuses
from showstopper.availability.clocks import HostClock
from showstopper.availability.counts import CountLog
from showstopper.availability.coverage import Coverage
from showstopper.availability.due import Timetable
from showstopper.availability.hosts import Absence
from showstopper.availability.spans import Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.engine.rooms.fleet import names
from showstopper.engine.runs import baselines, hosting
from showstopper.faults.network import behaviour as network


@dataclass(frozen=True, slots=True)
class RunView:
    """A window of a run.

    Attributes:
        told: what is known of it and of the seconds after it, as listeners told it.
        view: the same, with Unknown for what the host explains. Verdicts rest on this.
        absences: when the host could not be heard, in the whole run.
    """

    told: View
    view: View
    absences: tuple[Absence, ...]

    @property
    def felt(self) -> tuple[Absence, ...]:
        """The absences of the host that listeners missed something by. Empty: none did."""
        if self.view == self.told:
            return ()
        start, end = self.told.window.start, self.told.known_until
        return tuple(each for each in self.absences if each.start < end and each.felt_until > start)


def of_window(
    run: ExperimentRun,
    timeline: Timeline | None,
    window: Window | None,
    residents: tuple[str, ...],
    *,
    calls: Timetable | None,
    kept: BaselineRecord | None = None,
    following: float = 0.0,
    host_clocks: tuple[HostClock, ...] = (),
    counts: CountLog | None = None,
) -> RunView | None:
    """What is known of a window, and of so many seconds after it. None: there was none, or nobody listened.

    Args:
        run: with its record.
        timeline: of these residents, and of the newcomers beside them.
        window: of the run.
        residents: who are meant to be in.
        calls: when newcomers are due.
        kept: what the record has of the residents' baseline.
        following: seconds after the window that are looked at.
        host_clocks: of the room's host.
        counts: what the room's door has shown. None: nothing is known of that.
    """
    if timeline is None or window is None or window.seconds <= 0:
        return None
    absences = tuple(hosting.absences(run))
    told = timeline.view(window, residents, following, baselines.were_in(kept, residents))
    told = beside(run, replace(told, host_clocks=host_clocks), counts)
    told = due.watched(told, calls)
    return RunView(told, excuses.excused(told, absences, _cut_off(run)), absences)


def _cut_off(run: ExperimentRun) -> list[Window]:
    """When faults of the run let nothing of the host through: that is what the room is tested with, and no failure of
    the instrument. One that is not known to have ended goes on.
    """
    of_host = (fault for fault in run.spec.faults if fault.fleet is Fleet.HOST)
    names = {fault.name for fault in of_host if network.of(fault.spec).silences(fault.spec)}
    return [
        Window(from_timestamp(fault.armed_at), from_timestamp(fault.lifted_at) if fault.lifted_at else math.inf)
        for fault in run.status.faults
        if fault.name in names and fault.armed_at
    ]


def beside(run: ExperimentRun, view: View, counts: CountLog | None) -> View:
    """The same with what the room announces and what its door has shown.

    A crowd is in the public count too, and is no part of the fleet, and so are the visitors of a storm: then nothing is
    compared.
    """
    room = run.spec.room.spec
    others = room.listeners.crowd is not None or any(fault.spec.brings_people for fault in run.spec.faults)
    shown = counts.within(view.window) if counts is not None and not others else ()
    return replace(view, starts_at=room.program.start, counts=shown)


def of_those_who_were_in(view: View, baseline: Coverage | None) -> View:
    """The same without the outages of residents who were seen not to hear the host before the fault."""
    return replace(view, never_in=frozenset(baseline.unheard)) if baseline is not None else view


def calls_of_fleet(room: AudioRoom) -> Timetable | None:
    """When newcomers of the room's fleet are due. None: it has none."""
    arrivals = room.spec.listeners.arrivals
    return _shared_out(arrivals.every, names.pods(room)) if arrivals is not None else None


def calls_of_crowd(room: AudioRoom) -> Timetable | None:
    """When newcomers of the room's crowd are due. None: it has none."""
    crowd = room.spec.listeners.crowd
    arrivals = crowd.arrivals if crowd is not None else None
    return _shared_out(arrivals.every, names.crowd_pods(room)) if arrivals is not None else None


def _shared_out(every: timedelta, pods: frozenset[str]) -> Timetable | None:
    """When calls are due of pods that take turns. None: never."""
    seconds = every.total_seconds() * len(pods)
    return Timetable(pods, seconds) if seconds > 0 else None


def host_lost(views: Iterable[RunView | None]) -> Finding | None:
    """Why something is not known of the room: its own host could not be heard, and listeners missed it."""
    felt = next((each.felt for each in views if each is not None and each.felt), None)
    if felt is None:
        return None
    seconds = sum(each.end - each.start for each in felt)
    message = (
        f"the room's own host could not be heard for {seconds:.1f} s ({felt[0].why}), so that what listeners "
        "missed then is not the room's: look at the host's pod, then run again"
    )
    return Finding(Reason.HOST_LOST, message)
