"""Views: what listeners told of a window of a run, and the same without what the room's own host explains. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom
from showstopper.api.run import BaselineRecord, ExperimentRun
from showstopper.availability import due, excuses
from showstopper.availability.clocks import HostClock
from showstopper.availability.coverage import Coverage
from showstopper.availability.due import Timetable
from showstopper.availability.hosts import Absence
from showstopper.availability.spans import Window
from showstopper.availability.timeline import Timeline
from showstopper.availability.tracks import View
from showstopper.availability.verdict import Finding
from showstopper.engine.rooms.fleet import names
from showstopper.engine.runs import baselines, hosting


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
    kept: BaselineRecord | None = None,
    following: float = 0.0,
    host_clocks: tuple[HostClock, ...] = (),
) -> RunView | None:
    """What is known of a window, and of so many seconds after it. `kept` is what the record has of their baseline.

    None: there was no such window, or nobody listened.
    """
    if timeline is None or window is None or window.seconds <= 0:
        return None
    absences = tuple(hosting.absences(run))
    told = timeline.view(window, residents, following, baselines.were_in(kept, residents))
    told = replace(told, host_clocks=host_clocks)
    told = due.watched(told, _timetable(run.room))
    return RunView(told, excuses.excused(told, absences), absences)


def of_those_who_were_in(view: View, baseline: Coverage | None) -> View:
    """The same without the outages of residents who were seen not to hear the host before the fault."""
    return replace(view, never_in=frozenset(baseline.unheard)) if baseline is not None else view


def _timetable(room: AudioRoom) -> Timetable | None:
    """When the room's newcomers are due, shared out among its pods. None: it has none."""
    arrivals = room.spec.listeners.arrivals
    every = arrivals.every.total_seconds() * names.pod_count(room) if arrivals is not None else 0.0
    return Timetable(names.pods(room), every) if every > 0 else None


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
