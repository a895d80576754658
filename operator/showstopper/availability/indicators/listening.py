"""Listening: the indicators about those who are in: AudibleRatio, LongestDeadAir, OutageCount, Reconnects."""

from collections.abc import Iterable
from dataclasses import replace

from showstopper.availability.indicators.indicator import Better, Indicator, Listeners
from showstopper.availability.measurements import Measurement, unmeasured
from showstopper.availability.outage_bounds import ShortestLengths, most_outages
from showstopper.availability.outages import stretches
from showstopper.availability.spans import DEAD, DISCONNECTED, NOISE, UNCERTAIN, State
from showstopper.availability.tracks import Track, View
from showstopper.availability.units import COUNT, DURATION, SHARE

RESOLUTION_SECONDS = 0.1
"""A class window: what is shorter cannot be told apart."""

SHORTEST_LIVE_SECONDS = 0.2
"""The shortest outage is one class window. The shortest live sound between two is two of them: a time code is believed
only if the window beside it agrees (audio/hearing/classify.py)."""

# The shortest reconnect measured took 0.7 s on a node without load: some tenths for signalling, and a join.
SHORTEST_RECONNECT_SECONDS = 0.5
NOBODY = "nothing is known of any listener in this window: look at the listener pods of the room"


def seconds_in(track: Track, *states: State) -> float:
    """How long the listener was in these states."""
    return sum(span.end - span.start for span in track.spans if span.state in states)


def audible_ratio(view: View) -> Measurement:
    """Live listener-seconds over those that are certain, of residents. Bounds: what is uncertain is dead, or live."""
    live = known = 0.0
    samples = 0
    worst: tuple[float, str] | None = None
    for track in view.residents:
        heard = seconds_in(track, State.LIVE)
        seen = view.window.seconds - seconds_in(track, *UNCERTAIN)
        if seen <= NOISE:
            continue
        samples += 1
        live += heard
        known += seen
        worst = min(worst or (2.0, ""), (_ratio(heard, seen), track.listener))
    if worst is None:
        return unmeasured(AUDIBLE_RATIO, NOBODY)
    intended = view.window.seconds * len(view.residents)
    return Measurement(
        measured=AUDIBLE_RATIO,
        value=_ratio(live, known),
        samples=samples,
        lower=_ratio(live, intended),
        upper=_ratio(live + max(0.0, intended - known), intended),
        worst_listener=worst[1],
        worst_value=worst[0],
    )


def longest_dead_air(view: View) -> Measurement:
    """The longest outage of any listener in the window, with what of it follows the window.

    It has no upper bound if one may still go on.
    """
    samples = len(_known(view.tracks))
    if not samples:
        return unmeasured(LONGEST_DEAD_AIR, NOBODY)
    worst, lower, upper = (0.0, ""), 0.0, 0.0
    for track in view.tracks:
        for stretch in stretches(track, DEAD):
            upper = max(upper, stretch.at_most)
            dead = stretch.known_seconds
            if dead > lower:
                lower = max(lower, stretch.at_least)
            if dead > worst[0]:
                worst = dead, track.listener
    value, listener = worst
    return Measurement(LONGEST_DEAD_AIR, value, samples, lower, upper, "", listener, value)


def outage_count(view: View) -> Measurement:
    """The outages of all who were in, summed."""
    return _count(OUTAGE_COUNT, view, DEAD, RESOLUTION_SECONDS)


def reconnects(view: View) -> Measurement:
    """How often a listener who was in lost the connection, as far as it could be heard, summed.

    A resume of the signalling that does not interrupt the sound is none.
    """
    return _count(RECONNECTS, view, DISCONNECTED, SHORTEST_RECONNECT_SECONDS)


def _count(indicator: Indicator, view: View, bad: frozenset[State], shortest: float) -> Measurement:
    """How often listeners were in a bad state, of which there is none that is shorter than `shortest`."""
    tracks = _known(view.tracks)
    if not tracks:
        return unmeasured(indicator, NOBODY)
    lower = upper = 0
    worst = (0, "")
    lengths = ShortestLengths(outage=shortest, between=SHORTEST_LIVE_SECONDS)
    for track in view.tracks:
        certain = sum(1 for row in stretches(replace(track, following=()), bad) if row.known)
        lower += certain
        upper += most_outages(track.spans, bad, lengths)
        worst = max(worst, (certain, track.listener if certain else ""))
    return Measurement(indicator, float(lower), len(tracks), float(lower), float(upper), "", worst[1], float(worst[0]))


def _known(tracks: Iterable[Track]) -> list[Track]:
    """The tracks of those of whom anything is known."""
    return [track for track in tracks if any(span.state not in UNCERTAIN for span in track.spans)]


def _ratio(part: float, whole: float) -> float:
    return min(1.0, part / whole) if whole > 0 else 0.0


AUDIBLE_RATIO = Indicator(
    name="AudibleRatio",
    rank=30,
    meaning="The part of the listening time in which residents heard the live host.",
    unit=SHARE,
    better=Better.HIGHER,
    listeners=Listeners.RESIDENTS,
    trailing=True,
    measure=lambda view, _: audible_ratio(view),
    of_crowds=True,
)
LONGEST_DEAD_AIR = Indicator(
    name="LongestDeadAir",
    rank=50,
    meaning="The longest outage of any listener who was in.",
    unit=DURATION,
    better=Better.LOWER,
    listeners=Listeners.ALL,
    trailing=False,
    measure=lambda view, _: longest_dead_air(view),
    of_crowds=True,
)
OUTAGE_COUNT = Indicator(
    name="OutageCount",
    rank=60,
    meaning="The outages of all listeners who were in, summed.",
    unit=COUNT,
    better=Better.LOWER,
    listeners=Listeners.ALL,
    trailing=False,
    measure=lambda view, _: outage_count(view),
    of_crowds=True,
)
RECONNECTS = Indicator(
    name="Reconnects",
    rank=80,
    meaning="How often a listener who was in lost the connection, summed.",
    unit=COUNT,
    better=Better.LOWER,
    listeners=Listeners.ALL,
    trailing=False,
    measure=lambda view, _: reconnects(view),
    of_crowds=True,
)
