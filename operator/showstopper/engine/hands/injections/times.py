"""Agent times: what agents report, placed on the operator's clock. Pure.

A status leaves its agent right after the newest time in it. So the moment in which the operator sees it, less that
time, is how far the agent's clock is behind, plus the way through the API server. The way can only take longer, never
less than nothing: of several such readings the least is the truest, and what is placed with it is never before what
really happened, and never after the operator saw it.
"""

from typing import Any

from showstopper.api.injection import InjectedTarget, Injection, InjectionStatus
from showstopper.api.run import ExperimentRun
from showstopper.clock import from_timestamp, to_timestamp

_TIMES = ("armed_at", "lifted_at")
_FIGURES = ("first", "last", "processes", "host", "door")


def newest(status: InjectionStatus) -> float | None:
    """The newest time in a status, in Unix seconds of its agent's clock. None: it has none."""
    return max((from_timestamp(moment) for target in status.targets for moment in _moments(target)), default=None)


def recorded_offset(run: ExperimentRun, injection: Injection) -> float | None:
    """What was added to the agent's times when the run's record was written. An operator that restarts knows no other.

    None: the record says nothing of a target that this agent has armed.
    """
    placed = {target.uid: target.armed_at for target in run.status.targets if target.fault == injection.spec.fault}
    offsets = [
        from_timestamp(known) - from_timestamp(target.armed_at)
        for target in injection.status.targets
        if target.armed_at and (known := placed.get(target.uid))
    ]
    return min(offsets, default=None)


def placed(injection: Injection, offset: float) -> Injection:
    """The same Injection with all times of its targets on the operator's clock. `offset`: seconds to be added."""
    targets = [_placed(target, offset) for target in injection.status.targets]
    return injection.model_copy(update={"status": injection.status.model_copy(update={"targets": targets})})


def _moments(target: InjectedTarget) -> list[str]:
    figures = (getattr(target, name) for name in _FIGURES)
    moments = (target.armed_at, target.lifted_at, *(each.at for each in figures if each))
    return [moment for moment in moments if moment]


def _placed(target: InjectedTarget, offset: float) -> InjectedTarget:
    moved: dict[str, Any] = {
        name: _moved(moment, offset) for name in _TIMES if (moment := getattr(target, name)) is not None
    }
    for name in _FIGURES:
        if (figures := getattr(target, name)) is not None:
            moved[name] = figures.model_copy(update={"at": _moved(figures.at, offset)})
    return target.model_copy(update=moved)


def _moved(moment: str, offset: float) -> str:
    return to_timestamp(from_timestamp(moment) + offset)
