"""Schedules: when a cron schedule fires, and what of it is due, too late, or still to come. Pure."""

import difflib
import math
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cronsim import CronSim, CronSimError

from showstopper.api.experiment import ExperimentSpec
from showstopper.api.reasons import Reason
from showstopper.api.schema.cron import MACROS, WRITE_A_ZONE
from showstopper.availability.verdict import Finding

STARTING_DEADLINE = timedelta(minutes=5)
"""As long as a restart of the operator may take. Kubernetes' CronJob has no such bound by default, but a fault that
comes hours late comes when nobody expects it."""

WRITE_WHAT_COMES = 'write ranges upwards, and days that their months have, like "0 3 1-5 2 *"'
"""What a pattern cannot check. Everything else is refused at apply."""

_SOME_TIME_AGO = datetime(2001, 1, 1, tzinfo=UTC)
"""From here on cronsim looks fifty years ahead: what does not fire by then never does."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule that can be read.

    Attributes:
        cron: five fields, or a macro such as @daily.
        zone: a name of the IANA database.
        starting_deadline: how late a run may start.
    """

    cron: str
    zone: str = "UTC"
    starting_deadline: timedelta = STARTING_DEADLINE

    def __str__(self) -> str:
        """What decides when it fires."""
        return f"{self.cron} {self.zone}"

    def after(self, moment: float) -> float:
        """The first firing after a moment. Both are in Unix seconds."""
        return next(self._from(moment)).timestamp()

    def until(self, moment: float) -> float:
        """The last firing up to that moment, which may be one."""
        # In whole seconds: backwards, cronsim leaves out the moment itself, but not if it has a fraction.
        latest = next(self._from(math.floor(moment) + 1, backwards=True)).timestamp()
        # Backwards, cronsim steps over clock changes in its own way: what comes forwards is what counts.
        while (following := self.after(latest)) <= moment:
            latest = following
        return latest

    def _from(self, moment: float, *, backwards: bool = False) -> CronSim:
        start = datetime.fromtimestamp(moment, zoneinfo.ZoneInfo(self.zone))
        return CronSim(MACROS.get(self.cron, self.cron), start, reverse=backwards)


@dataclass(frozen=True, slots=True)
class Firing:
    """What a schedule says at a moment, in Unix seconds.

    Attributes:
        due: the firing whose run is to start now. Of several missed firings, the last.
        missed: the last firing that passed and is too late to be made up for.
        next: the first firing to come.
    """

    due: float | None
    missed: float | None
    next: float


def fire(schedule: Schedule, planned: float | None, now: float) -> Firing:
    """What is due now.

    Args:
        schedule: it.
        planned: the firing that was to come next when it was last looked at. None if nothing before now counts, for the
            schedule is new, was changed, or was suspended.
        now: Unix seconds.
    """
    if planned is None:
        return Firing(None, None, schedule.after(now))
    if now < planned:
        return Firing(None, None, planned)
    last = max(planned, schedule.until(now))
    late = now - last > schedule.starting_deadline.total_seconds()
    return Firing(None if late else last, last if late else None, schedule.after(now))


def of(spec: ExperimentSpec) -> Schedule | Finding | None:
    """The schedule of an experiment, the reason why it cannot be read, or None if it has none."""
    if spec.schedule is None:
        return None
    schedule = Schedule(spec.schedule, spec.time_zone or "UTC", spec.starting_deadline or STARTING_DEADLINE)
    problem = _problem(schedule.cron, schedule.zone)
    return Finding(Reason.INVALID_SCHEDULE, problem) if problem else schedule


def stamp(moment: float) -> str:
    """RFC 3339 in whole seconds, UTC: schedules know no finer ones."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=1024)
def _problem(cron: str, zone: str) -> str:
    """What is wrong with it and what to write instead, or an empty string."""
    try:
        zoneinfo.ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # no such name, no name at all, a folder of names
        near = difflib.get_close_matches(zone, zoneinfo.available_timezones(), n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        return f'there is no time zone "{zone}": {WRITE_A_ZONE}{hint}'
    try:
        next(CronSim(MACROS.get(cron, cron), _SOME_TIME_AGO))
    except (CronSimError, StopIteration) as error:  # a range that runs backwards, a day that never comes
        why = f" ({error})" if str(error) else ""
        return f'schedule "{cron}" never fires{why}: {WRITE_WHAT_COMES}'
    return ""
