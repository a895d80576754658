"""Endings: how runs and game days that somebody ended have ended, and whether all of their faults are reverted."""

from showstopper.api.game_day import GameDay
from showstopper.api.run import ExperimentRun
from showstopper.cli.exit_codes import ExitCode, problem
from showstopper.cluster.kinds import EXPERIMENT_RUN, GAME_DAY, Kind

Subject = ExperimentRun | GameDay


def kind_of(subject: Subject) -> Kind:
    """The kind that the API server has it under."""
    return GAME_DAY if isinstance(subject, GameDay) else EXPERIMENT_RUN


def title(subject: Subject) -> str:
    """Kind, namespace and name, for people."""
    return f"{kind_of(subject).name.lower()} {subject.metadata.namespace}/{subject.metadata.name}"


def say_what_is_left(subject: Subject) -> ExitCode:
    """Print which faults are not known to be reverted, if any. A game day has none: its runs have."""
    faults = subject.status.faults if isinstance(subject, ExperimentRun) else []
    left = [fault for fault in faults if not fault.reverted]
    if not left:
        return ExitCode.PASSED
    names = ", ".join(fault.name for fault in left)
    problem(f"not known to be reverted: {names} of {title(subject)}: {left[0].message or ''}")
    return ExitCode.ERROR
