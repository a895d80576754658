"""Coverage: how much of a window is known at all, and of whom nothing is."""

from dataclasses import dataclass

from showstopper.availability.indicators.listening import audible_ratio, seconds_in
from showstopper.availability.measurements import Measurement
from showstopper.availability.spans import DEAD, NOISE, UNCERTAIN, State, Window
from showstopper.availability.tracks import Track, View

UNKNOWN_LIMIT = 0.05
"""A window of which more than this is Unknown allows no verdict (docs/how-it-measures.md). It forgives a late probe now
and then (1 s in 20). In a fleet of fewer than twenty it never forgives the loss of a listener for the whole window."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a window is known of the residents who were meant to be in.

    `gone`: Unknown when the window ended, and in all that is known of the seconds after it.
    `unheard`: was seen, and did not hear the live host in it. `unseen`: Unknown throughout.
    `dead`: what was heard instead of the live host, and for which share of the intended time, the largest first.
    """

    window: Window
    intended: int
    unknown_share: float
    gone: tuple[str, ...]
    unheard: tuple[str, ...]
    unseen: tuple[str, ...]
    audible: Measurement
    dead: tuple[tuple[State, float], ...]

    @property
    def too_unknown(self) -> bool:
        """Whether so much is Unknown that the window allows no verdict."""
        return self.unknown_share > UNKNOWN_LIMIT

    @property
    def listeners_gone(self) -> bool:
        """Whether so many of the residents were gone when the window ended that it allows no verdict."""
        return len(self.gone) > UNKNOWN_LIMIT * self.intended


def of(view: View) -> Coverage:
    """The coverage of a window. With no resident intended, or no length, all of it is Unknown."""
    unknown = sum(seconds_in(track, State.UNKNOWN) for track in view.residents)
    intended = view.window.seconds * len(view.residents)
    return Coverage(
        window=view.window,
        intended=len(view.residents),
        unknown_share=min(1.0, unknown / intended) if intended > 0 else 1.0,
        gone=tuple(track.listener for track in view.residents if _gone(track)),
        unheard=tuple(track.listener for track in view.residents if _certainly_unheard(track)),
        unseen=tuple(track.listener for track in view.residents if _unseen(track)),
        audible=audible_ratio(view),
        dead=_dead(view, intended),
    )


def _dead(view: View, intended: float) -> tuple[tuple[State, float], ...]:
    seconds = {state: sum(seconds_in(track, state) for track in view.residents) for state in State if state in DEAD}
    shares = [(state, spent / intended) for state, spent in seconds.items() if spent > NOISE]
    return tuple(sorted(shares, key=lambda entry: -entry[1]))


def _certainly_unheard(track: Track) -> bool:
    states = {span.state for span in track.spans}
    return State.LIVE not in states and not states <= UNCERTAIN


def _gone(track: Track) -> bool:
    return all(span.state is State.UNKNOWN for span in (*track.spans[-1:], *track.following))


def _unseen(track: Track) -> bool:
    return all(span.state is State.UNKNOWN for span in track.spans)
