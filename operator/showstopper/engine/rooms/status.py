"""Status of a room: from what its residents hear and what its fleet does to conditions and figures. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from showstopper.api.conditions import (
    ARCHIVED,
    Condition,
    ConditionType,
    Outlook,
    conditions,
    find,
    in_progress,
    refused,
    renewed,
)
from showstopper.api.reasons import Reason
from showstopper.api.room import (
    AudioRoom,
    AudioRoomStatus,
    ComponentImage,
    CrowdStatus,
    Host,
    ListenersStatus,
    MeasuredIndicator,
)
from showstopper.availability import summary
from showstopper.availability.indicators import INDICATORS
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, seconds_in
from showstopper.availability.spans import State, Window
from showstopper.availability.tracks import Track, View
from showstopper.clock import from_timestamp, to_timestamp

HEARING_SECONDS = 5.0
"""Residents are judged by their last seconds: longer than a lost poll or a hiccup, shorter than a person's patience."""

HEARING_SHARE = 0.8
"""A resident hears the host who heard it for this part of them."""

NOW_SECONDS = 0.5
"""And who has heard it at all in the last of them: an outage that has begun is not made up for by what was before."""

LIVE_SHARE = 0.95
"""A room is live when this share of its residents hears: below twenty residents that is all of them."""

# How long a fleet may take from one step forward to the next, and a room may be broken before that is final.
START_SECONDS = 60.0
STALL_SECONDS = 60.0

_DOING = {
    State.LIVE: "hear it with gaps",
    State.HOLD: "hear Hold",
    State.STALE: "hear Stale",
    State.SILENT: "hear nothing (Silent)",
    State.GARBLED: "hear sound that is not the host's (Garbled)",
    State.UNCLEAR: "hear sound in which the host's code cannot be read (Unclear)",
    State.NO_MEDIA: "get no media (NoMedia)",
    State.OFFLINE: "are Offline",
    State.JOINING: "are Joining",
    State.UNKNOWN: "are Unknown",
}


@dataclass(frozen=True, slots=True)
class Hearing:
    """How many residents are meant to hear the host, how many do, and in which state the others are."""

    intended: int
    live: int
    others: Mapping[State, int] = field(default_factory=dict)

    @property
    def enough(self) -> bool:
        """Whether the room is live."""
        return self.intended > 0 and self.live >= LIVE_SHARE * self.intended


def hearing(view: View) -> Hearing:
    """What the residents hear in a window of a few seconds."""
    states = Counter(_hears(track, view.window) for track in view.residents)
    live = states.pop(None, 0)
    return Hearing(len(view.residents), live, {state: count for state, count in states.items() if state is not None})


def _hears(track: Track, window: Window) -> State | None:
    """The state that says why a listener does not hear the host, or None if it does."""
    heard_until = max((span.end for span in track.spans if span.state is State.LIVE), default=window.start)
    if seconds_in(track, State.LIVE) >= HEARING_SHARE * window.seconds > 0 and heard_until > window.end - NOW_SECONDS:
        return None
    return track.spans[-1].state if track.spans else State.UNKNOWN


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the conditions of a room follow from.

    Attributes:
        hearing: what the residents hear.
        pods: how many listener pods are meant to be.
        reporting: how many of them report.
        outdated: how many are from before a change of the fleet.
        progress_at: when the fleet last came a step forward (a change of it, one more pod that reports).
        troubles: what is wrong with pods or with how the room describes them, each names the pod.
        refusal: why the fleet cannot be made. Empty if it can.
        misdescribed: why the components are none that faults may be aimed at. Empty if they are.
        run: the run that experiments on the room now.
        away: the pod for whose sake the fleet has left the room, if it has.
        archive: why nothing is archived. Empty if it is, None if there is no archive.
        crowd: what the crowd hears. None if there is none.
    """

    hearing: Hearing
    pods: int
    reporting: int
    outdated: int = 0
    progress_at: float = 0.0
    troubles: tuple[str, ...] = ()
    refusal: str = ""
    misdescribed: str = ""
    run: str | None = None
    kept_back: bool = False
    away: str | None = None
    archive: str | None = None
    crowd: CrowdStatus | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What the status shows beside the conditions."""

    audible: str | None = None
    indicators: tuple[MeasuredIndicator, ...] = ()
    serving: tuple[str, ...] = ()
    release: tuple[ComponentImage, ...] = ()


def outlook(room: AudioRoom, situation: Situation, now: float) -> Outlook:
    """Where the room stands. The conditions that stand in its status tell for how long it has been broken."""
    before = room.status.conditions
    ready = find(before, ConditionType.READY)
    current = ready is not None and ready.observed_generation == room.metadata.generation
    was_ready = ready is not None and ready.status == "True"
    if (tested := _under_experiment(room, situation, well_before=current and was_ready)) is not None:
        return tested
    if (ours := _not_to_be_heard(situation)) is not None:
        return ours
    settled = situation.reporting == situation.pods and not situation.outdated
    if situation.hearing.enough and (settled or (current and not situation.outdated)):
        return Outlook(Reason.LIVE, f"{_hear(room, situation)}{_troubles(situation)}", ready="True")
    if situation.refusal:
        return refused(Reason.FLEET_REFUSED, situation.refusal)
    begun = current and ready is not None and ready.status != "Unknown"
    if (not begun or situation.outdated) and now - situation.progress_at < START_SECONDS:
        return in_progress(Reason.STARTING, f"{_reporting(situation)}; {_hear(room, situation)}{_troubles(situation)}")
    return _broken(room, situation, before, now)


def _not_to_be_heard(situation: Situation) -> Outlook | None:
    """Why it says nothing of the room what its residents hear."""
    if situation.misdescribed:
        return refused(Reason.SELECTS_FLEET, situation.misdescribed)
    if situation.away is None:
        return None
    message = (
        f"listeners and host have left the room, so that pod {situation.away}, which drains, can end: they come back "
        "when it has, or after a minute"
    )
    return in_progress(Reason.DRAINING, message)


def _under_experiment(room: AudioRoom, situation: Situation, *, well_before: bool) -> Outlook | None:
    """Our own fault turns nothing red that was well; a change that waits for its end is not done."""
    if situation.run is None:
        return None
    if situation.kept_back:
        message = f"the change of the room waits until {situation.run} is over; {_hear(room, situation)}"
        return in_progress(Reason.UNDER_EXPERIMENT, message)
    if well_before:
        return Outlook(Reason.UNDER_EXPERIMENT, f"{situation.run} runs; {_hear(room, situation)}", ready="True")
    return None


def _broken(room: AudioRoom, situation: Situation, before: Sequence[Condition], now: float) -> Outlook:
    ready = find(before, ConditionType.READY)
    since = from_timestamp(ready.last_transition_time) if ready and ready.status == "False" else now
    stalled = now - since >= STALL_SECONDS
    if situation.reporting < situation.pods or situation.outdated:
        reason, message = Reason.LISTENERS_MISSING, f"{_reporting(situation)}; {_hear(room, situation)}"
    else:
        reason, message = Reason.NOT_LIVE, _hear(room, situation)
    return Outlook(reason, f"{message}{_troubles(situation)}", ready="False", stalled=stalled)


def _hear(room: AudioRoom, situation: Situation) -> str:
    """In a sentence: "3 of 6 residents hear the host; 3 hear Hold"."""
    heard = situation.hearing
    what = "the host" if room.spec.program.host is Host.MANAGED else "sound"
    others = sorted(heard.others.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{heard.live} of {heard.intended} residents hear {what}"]
    return "; ".join([*parts, *(f"{count} {_DOING[state]}" for state, count in others)])


def _reporting(situation: Situation) -> str:
    outdated = f", {situation.outdated} from before the last change" if situation.outdated else ""
    return f"{situation.reporting} of {situation.pods} listener pods report{outdated}"


def _troubles(situation: Situation) -> str:
    """The first few troubles, for a message."""
    shown = "".join(f"; {trouble[:240]}" for trouble in situation.troubles[:2])
    return shown + (f"; and {len(situation.troubles) - 2} more" if len(situation.troubles) > 2 else "")


def measured(view: View) -> tuple[str | None, tuple[MeasuredIndicator, ...]]:
    """The audible share and all indicators of a window without a fault, as texts."""
    results = {
        indicator: MeasuredIndicator.model_validate(summary.measurement(indicator.measure(view, None)))
        for indicator in INDICATORS
        if not indicator.needs_fault
    }
    return results[AUDIBLE_RATIO].value, tuple(results.values())


def compose(room: AudioRoom, situation: Situation, figures: Figures, now: float) -> AudioRoomStatus:
    """The whole status as it should be read now."""
    generation, stamp = room.metadata.generation, to_timestamp(now)
    stands = outlook(room, situation, now)
    return AudioRoomStatus(
        observed_generation=generation,
        conditions=[
            *conditions(stands, generation=generation, now=stamp, previous=room.status.conditions),
            *_archived(room, situation, stamp),
        ],
        listeners=ListenersStatus(
            intended=situation.hearing.intended,
            reporting=_residents_reporting(situation),
            live=situation.hearing.live,
            crowd=situation.crowd,
        ),
        audible=figures.audible,
        serving=list(figures.serving[:64]),
        indicators=list(figures.indicators),
        release=list(figures.release[:64]),
        measured_at=stamp,
    )


def _archived(room: AudioRoom, situation: Situation, now: str) -> list[Condition]:
    """Whether what the room's listeners tell is archived. None if there is no archive."""
    trouble = situation.archive
    if trouble is None:
        return []
    value: Literal["True", "False"] = "False" if trouble else "True"
    reason = Reason.ARCHIVE_UNAVAILABLE if trouble else Reason.ARCHIVED
    old = next((condition for condition in room.status.conditions if condition.type == ARCHIVED), None)
    generation = room.metadata.generation
    return [renewed(old, ARCHIVED, value, reason, trouble or "the archive is ready", generation=generation, now=now)]


def _residents_reporting(situation: Situation) -> int:
    """Residents are reported of whose state is known."""
    return situation.hearing.intended - situation.hearing.others.get(State.UNKNOWN, 0)
