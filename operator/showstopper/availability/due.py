"""Due: how many calls newcomers should have made in a window and did not. Pure.

A process of newcomers that dies makes no call, and leaves no trace of those that it should have made. Who then looks at
the calls that were made takes the few for all.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from showstopper.availability.spans import Window
from showstopper.availability.tracks import View

LATE_SECONDS = 2.0
"""Newcomers say what they did every half second, and their pods are asked once a second: so late a call may be told."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """Who sends newcomers, and how often: each of the pods sends one in `every` seconds."""

    pods: frozenset[str]
    every: float


def unmade(callers: Iterable[str], timetable: Timetable, window: Window) -> int:
    """How many calls were due in a window, and are not among those that were made.

    A window begins and ends between two calls, so a pod may miss one unseen.

    Args:
        callers: the listener of each call that was made in the window.
        timetable: when calls are due.
        window: in which they were.
    """
    made = Counter(caller.rpartition("/")[0] for caller in callers)
    due = math.floor(max(0.0, window.seconds - LATE_SECONDS) / timetable.every)
    return sum(max(0, due - made[pod]) for pod in timetable.pods)


def watched(view: View, timetable: Timetable | None) -> View:
    """The same view, with the number of calls that were due in it and were not made. None: no newcomer ever comes."""
    if timetable is None:
        return view
    window = view.window
    callers = (call.listener for call in view.calls if window.start <= call.called < window.end)
    return replace(view, unmade=unmade(callers, timetable, window))
