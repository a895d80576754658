"""Listening: the indicators about those who are in: AudibleRatio, LongestDeadAir, OutageCount, Reconnects."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from showstopper.availability.indicators.indicator import Better, Indicator, Listeners
from showstopper.availability.measurements import Measurement, unmeasured
from showstopper.availability.outages import Stretch, stretches
from showstopper.availability.spans import DEAD, DISCONNECTED, NOISE, UNCERTAIN, Span, State
from showstopper.availability.tracks import Track, View
from showstopper.availability.units import COUNT, DURATION, SHARE

# A class window: what is shorter cannot be told apart.
RESOLUTION_SECONDS = 0.1
# The shortest outage is one class window. The shortest live sound between two is two of them: a time code is believed
# only if the window beside it agrees (audio/classify.py).
SHORTEST_LIVE_SECONDS = 0.2
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
    for track in view.tracks:
        inside = replace(track, following=())
        rows = list(stretches(inside, bad))
        certain = sum(1 for row in rows if row.known)
        lower += certain
        upper += sum(_at_most_in(row, inside, shortest) for row in rows)
        worst = max(worst, (certain, track.listener if certain else ""))
    return Measurement(indicator, float(lower), len(tracks), float(lower), float(upper), "", worst[1], float(worst[0]))


def _at_most_in(row: Stretch, track: Track, shortest: float) -> int:
    """How many outages a stretch may hold.

    Each Unknown span may hold as many as fit, with live sound between them, and live sound at an end where it meets
    one that is known. Of one that the window cuts off any part may be inside. The known ones are as many as there are,
    unless what is Unknown between two is too short to part them. Of an outage of which less is seen than the shortest
    lasts, the rest is in the Unknown span beside it.
    """
    count = 0
    unknown = [index for index, span in enumerate(row.spans) if span.state not in row.bad]
    for index, span in enumerate(row.spans):
        before = index > 0 and row.spans[index - 1].state in row.bad
        if span.state in row.bad:
            count += 0 if before else 1
            continue
        after = index + 1 < len(row.spans) and row.spans[index + 1].state in row.bad
        cut = (span is track.spans[0]) + (span is track.spans[-1])
        # Of an outage between two Unknown spans more may be in either of them.
        rest = _unseen_rest(row.spans[:index], track.spans[0], shortest) if index == unknown[0] else 0.0
        rest += _unseen_rest(row.spans[index + 1 :], track.spans[-1], shortest) if index == unknown[-1] else 0.0
        if before and after and span.seconds - rest < SHORTEST_LIVE_SECONDS - NOISE:
            count -= 1
        free = span.seconds - rest + SHORTEST_LIVE_SECONDS * (1 - before - after) + shortest * cut
        count += max(0, int((free + NOISE) / (shortest + SHORTEST_LIVE_SECONDS)))
    return count


def _unseen_rest(seen: Sequence[Span], edge: Span, shortest: float) -> float:
    """How much of an outage must be inside the Unknown span beside it. Seconds.

    Nothing, if the window cuts the outage off.

    Args:
        seen: what is known of the outage.
        edge: the span of the window's end on that side.
        shortest: how long an outage lasts at least, in seconds.
    """
    if not seen or seen[0] is edge or seen[-1] is edge:
        return 0.0
    return max(0.0, shortest - sum(span.seconds for span in seen))


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
)
