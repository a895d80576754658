"""Crowds: what a report shows of a room's crowd: how many are in each state, and who of it fared worst. Pure."""

from showstopper.api.room import Crowd
from showstopper.api.run import ExperimentRun
from showstopper.availability import density, outages
from showstopper.availability.density import Density
from showstopper.availability.tracks import Track, View

MOST_WORST = 5
FINEST_SECONDS = 0.01
LIMITS = (
    "A crowd has no player, so that concealment and mouth-to-ear delay are not measured. Its clients do not fall back "
    "to TCP, and their joins weigh less on a relay than those of an SDK."
)
HIDDEN = "Hidden listeners are no audience: nobody in the room is told of them."


def of(run: ExperimentRun) -> Crowd | None:
    """The crowd of the run's room. None: it has none."""
    return run.room.spec.listeners.crowd


def name(crowd: Crowd) -> str:
    """Such as "crowd of 200, hidden"."""
    return f"crowd of {crowd.count}, hidden" if crowd.hidden else f"crowd of {crowd.count}"


def limits(crowd: Crowd) -> str:
    """What it cannot show."""
    return f"{LIMITS} {HIDDEN}" if crowd.hidden else LIMITS


def band(view: View, most: int) -> tuple[Density, ...]:
    """How many were in each state over time, in at most so many pieces.

    Listeners of a relay that stops lose it within a millisecond or two of each other: that is one change.
    """
    return density.coarse(density.thinned(density.steps(view), FINEST_SECONDS), view.window, most)


def worst(view: View, most: int = MOST_WORST) -> tuple[Track, ...]:
    """Those with the most dead air, worst first. Whoever missed nothing is none of them."""
    missed = {track: sum(outage.dead_air for outage in outages.of_track(track)) for track in view.residents}
    ranked = sorted((track for track, seconds in missed.items() if seconds > 0), key=lambda track: -missed[track])
    return tuple(ranked[:most])


def newcomers(view: View) -> tuple[int, int]:
    """How many newcomers called, and how many of them heard the host."""
    return len(view.calls), sum(1 for call in view.calls if call.first_live is not None)
