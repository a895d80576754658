"""Arriving: the indicators about newcomers: JoinSuccess, TimeToFirstAudio, ArrivalAudible.

A call counts in the window in which its fate is sealed: where what was hoped for happened, where the visit ended
without it, or, if it was still waiting when the window ended, where it was due. Calls that were not due yet are left
out, so that the last seconds of a window neither flatter nor blame. One that we lost sight of (its pod died), and one
that was due and was never made, is neither good nor bad: it widens the bounds. Who joins or hears later than a newcomer
waits has failed when it was due.
"""

import math
from collections.abc import Callable, Iterable
from enum import Enum

from showstopper.availability.feed import Arrival
from showstopper.availability.indicators.indicator import Better, Indicator, Listeners
from showstopper.availability.measurements import Measurement, unmeasured
from showstopper.availability.spans import Window
from showstopper.availability.tracks import View
from showstopper.availability.units import DURATION, SHARE

DUE_SECONDS = 5.0
"""A newcomer should have joined and heard by then: the field asks for 99.5 % of joins within 5 s."""

# TimeToFirstAudio is this quantile: the slowest of twenty, which is what people complain about. A maximum would be one
# straggler's. By nearest rank, so that with fewer than twenty arrivals it is the slowest: few samples, strict figure.
QUANTILE = 0.95
NO_CALL = "no newcomer's call was due in this window: make it longer, or let arrivals come more often"


class CallOutcome(Enum):
    """What became of a call in a window."""

    HAPPENED = "what was hoped for happened in the window"
    FAILED = "the visit ended without it in the window, or it was due and had not happened"
    LOST = "we lost sight of the caller before it happened"


def fate(call: Arrival, happened: float | None, window: Window) -> CallOutcome | None:
    """The fate of a call in a window. `happened`: when what was hoped for did. None: it does not count here."""
    if happened is not None and happened < window.end:
        return CallOutcome.HAPPENED if happened >= window.start else None
    left = call.surely_left
    if happened is None and left is not None and left < window.end:
        return CallOutcome.FAILED if left >= window.start else None
    if call.sure_until >= window.end:
        return CallOutcome.FAILED if call.called + DUE_SECONDS <= window.end else None
    return CallOutcome.LOST if call.seen_until >= window.start else None


def fate_in_time(call: Arrival, happened: float | None, window: Window) -> CallOutcome | None:
    """The same, where what happens later than a newcomer waits (DUE_SECONDS) is as good as never.

    What is known to have happened in time leaves nothing open before it, whatever else is not known of the call.
    """
    due = call.called + DUE_SECONDS
    if happened is not None and happened <= due:
        return CallOutcome.HAPPENED if window.start <= happened < window.end else None
    if call.surely_left is not None and call.surely_left <= due:
        return fate(call, None, window)
    if call.sure_until >= due:
        return CallOutcome.FAILED if window.start < due <= window.end else None
    return fate(call, None, window)


def join_success(view: View) -> Measurement:
    """Newcomers who got into the room within five seconds, over those who tried."""
    return _share(JOIN_SUCCESS, view, lambda call: call.joined)


def arrival_audible(view: View) -> Measurement:
    """Newcomers who heard the live host within five seconds, over those who tried."""
    return _share(ARRIVAL_AUDIBLE, view, lambda call: call.first_live)


def time_to_first_audio(view: View) -> Measurement:
    """From the call to the first sound of any kind, p95 by nearest rank.

    Who heard nothing waited at least as long as was watched, and who was refused waits for ever. If such are among the
    fastest 95 %, there is no value but a lower bound.
    """
    waits = [
        (*_wait(call, outcome, view.window), call.listener)
        for call in view.calls
        if (outcome := fate(call, call.first_audio, view.window)) is not None
    ]
    if not waits:
        return unmeasured(TIME_TO_FIRST_AUDIO, _no_call(view))
    known = _slowest(wait[1] for wait in waits)
    slowest, _, listener = max(waits)
    silent = sum(1 for wait in waits if wait[1] == math.inf)
    return Measurement(
        measured=TIME_TO_FIRST_AUDIO,
        value=None if known == math.inf else known,
        samples=len(waits),
        lower=_slowest([*(wait[0] for wait in waits), *[0.0] * view.unmade]),
        upper=_slowest([*(wait[1] for wait in waits), *[math.inf] * view.unmade]),
        reason=f"{silent} of {len(waits)} newcomers heard nothing" if known == math.inf else _unmade(view),
        worst_listener=listener,
        worst_value=None if slowest == math.inf else slowest,
    )


def _slowest(waits: Iterable[float]) -> float:
    """The wait that is not exceeded by 95 % of them, by nearest rank."""
    ordered = sorted(waits)
    return ordered[math.ceil(QUANTILE * len(ordered)) - 1]


def _wait(call: Arrival, outcome: CallOutcome, window: Window) -> tuple[float, float]:
    """Between which bounds the time to the first sound lies."""
    if outcome is CallOutcome.HAPPENED and call.first_audio is not None:
        return call.first_audio - call.called, call.first_audio - call.called
    left = call.surely_left
    if left is not None and left < window.end and call.joined is None and call.error:
        return math.inf, math.inf
    if call.sure_until < window.start:
        return 0.0, math.inf  # it may not even belong to this window
    return min(call.sure_until, window.end) - call.called, math.inf


def _share(indicator: Indicator, view: View, event: Callable[[Arrival], float | None]) -> Measurement:
    fates = [(fate_in_time(call, event(call), view.window), call.listener) for call in view.calls]
    happened = sum(1 for outcome, _ in fates if outcome is CallOutcome.HAPPENED)
    failed = [listener for outcome, listener in fates if outcome is CallOutcome.FAILED]
    lost = sum(1 for outcome, _ in fates if outcome is CallOutcome.LOST) + view.unmade
    decided = happened + len(failed)
    if not decided:
        return unmeasured(indicator, _no_call(view))
    return Measurement(
        measured=indicator,
        value=happened / decided,
        samples=decided,
        lower=happened / (decided + lost),
        upper=(happened + lost) / (decided + lost),
        reason=_unmade(view),
        worst_listener=failed[0] if failed else "",
        worst_value=0.0 if failed else None,
    )


def _no_call(view: View) -> str:
    return _unmade(view) or NO_CALL


def _unmade(view: View) -> str:
    """Why something of newcomers is not known. Empty: they made every call that was due."""
    if not view.unmade:
        return ""
    return f"newcomers did not make {view.unmade} of the calls that were due: look at the pods that they come from"


JOIN_SUCCESS = Indicator(
    name="JoinSuccess",
    rank=10,
    meaning="Newcomers who got into the room within five seconds, over those who tried.",
    unit=SHARE,
    better=Better.HIGHER,
    listeners=Listeners.ARRIVALS,
    trailing=True,
    measure=lambda view, _: join_success(view),
    of_crowds=True,
)
TIME_TO_FIRST_AUDIO = Indicator(
    name="TimeToFirstAudio",
    rank=20,
    meaning="From a newcomer's call to the first sound of any kind: the 95th percentile of all calls.",
    unit=DURATION,
    better=Better.LOWER,
    listeners=Listeners.ARRIVALS,
    trailing=True,
    measure=lambda view, _: time_to_first_audio(view),
    of_crowds=True,
)
ARRIVAL_AUDIBLE = Indicator(
    name="ArrivalAudible",
    rank=40,
    meaning="Newcomers who heard the live host within five seconds, over those who tried to join.",
    unit=SHARE,
    better=Better.HIGHER,
    listeners=Listeners.ARRIVALS,
    trailing=True,
    measure=lambda view, _: arrival_audible(view),
    of_crowds=True,
)
