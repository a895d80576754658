"""Programme: what a game day performs: its hash, and each act as an experiment that asks for its run. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import Act, GameDay, GameDayStatus, OnFailure
from showstopper.api.run import DayOrigin, ExperimentRun
from showstopper.api.schema.base import Metadata
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import Request

_HASHED = ("revision", "window", "acts", "onFailure")
"""A change of anything else (suspend, abort, historyLimit) asks for no new performance."""


def digest(day: GameDay) -> str:
    """The hash of what is performed."""
    return requests.digest(day.spec, _HASHED)


def run_request(day: GameDay) -> str:
    """The value of the annotation that asks for another performance. Empty: there is none."""
    return day.metadata.annotations.get(requests.RUN_REQUESTED, "")[:256]


def is_asked(day: GameDay) -> bool:
    """Whether a performance is to begin: of another programme, or once more when the one before is over."""
    return day.status.last_hash != digest(day) or (day.finished and asks_for_another(day, day.status))


def asks_for_another(day: GameDay, status: GameDayStatus) -> bool:
    """Whether the annotation asks for a performance beside the one that this status is of.

    An annotation that is gone asks for none.
    """
    return run_request(day) not in {"", status.last_handled_run_request}


def approved_acts(day: GameDay) -> list[str]:
    """The names of the acts that somebody has to approve."""
    return [act.name for act in day.spec.acts if act.hold is not None and act.hold.approval]


def act_of(day: GameDay, name: str) -> Act:
    """The act of that name."""
    return next(act for act in day.spec.acts if act.name == name)


def goes_on_after(day: GameDay, act: Act, verdict: str | None) -> bool:
    """Whether the next act follows an act that ended so."""
    return verdict == "Passed" or (act.on_failure or day.spec.on_failure) is OnFailure.CONTINUE


def experiment_of(
    day: GameDay, act: Act, find_experiment: Callable[[str, str], Experiment | None]
) -> Experiment | None:
    """What the act runs: the Experiment that it names, or its inline experiment, or None if there is none."""
    metadata = day.metadata
    if act.experiment is None:
        assert act.experiment_ref is not None, "the model has seen to it"
        return find_experiment(metadata.namespace, act.experiment_ref.name)
    revision = act.experiment.revision or day.spec.revision
    return Experiment(
        metadata=Metadata(
            name=inline_name(day, act),
            namespace=metadata.namespace,
            uid=metadata.uid,
            generation=metadata.generation,
        ),
        spec=act.experiment.model_copy(update={"revision": revision}),
    )


def inline_name(day: GameDay, act: Act) -> str:
    """What an experiment that is written in an act is called on its runs."""
    return f"{day.metadata.name}-{act.name}"[:63].rstrip("-")


def request(
    day: GameDay, act: Act, performance: int, experiment: Experiment, runs: Iterable[ExperimentRun] = ()
) -> Request:
    """The request for the act's run. The same act of the same performance always has the same.

    Args:
        day: whose act it is.
        act: the act.
        performance: which performance, from 1.
        experiment: what the act runs.
        runs: all runs of that very experiment. What its annotation asked for stays answered, or not, as it was: else
            the experiment would ask again after the day, or never.
    """
    answered = requests.answered(experiment, runs)
    origin = DayOrigin(
        name=day.metadata.name, uid=day.metadata.uid, act=act.name, performance=performance, hash=digest(day)
    )
    return replace(
        requests.wanted(experiment), run_request=answered.run_request if answered is not None else "", day=origin
    )
