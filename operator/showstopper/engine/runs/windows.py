"""Windows: when a run's steps began, when its faults hit, and which times are measured. By its record alone. Pure."""

from collections.abc import Mapping
from typing import Any

from showstopper.api.run import ExperimentRun, Step, StepName, WindowRecord
from showstopper.availability.spans import Window
from showstopper.clock import from_timestamp, to_timestamp

BASELINE = "Baseline"
"""The name of the window before the faults."""

JUDGED = "Judged"
"""The name of the window from the first target that was hit to the end of the recovery."""


def step(run: ExperimentRun, name: StepName) -> Step | None:
    """The step of that name, if the run has come to it."""
    return next((entry for entry in run.status.steps if entry.name is name), None)


def baseline_window(run: ExperimentRun) -> Window | None:
    """As long as the baseline was asked to be, from its start. None if there was no baseline."""
    baseline = step(run, StepName.BASELINE)
    if baseline is None:
        return None
    start = from_timestamp(baseline.started_at)
    return Window(start, start + run.spec.timing.baseline.total_seconds())


def injected_at(run: ExperimentRun) -> float | None:
    """When the first target was hit, on the operator's clock: armed by an agent, or its deletion accepted.

    What is asked for and not armed tests nothing, and would only dilute the figures. None: nothing was asked for.
    """
    return min(_begins(run), default=None)


def ended_at(run: ExperimentRun) -> float | None:
    """When the last fault was over, on the operator's clock: lifted, its signal sent, or its deletion accepted.

    A fault of which nobody told when it was lifted is over when the revert was. Until then, what has begun counts.
    """
    begins = _begins(run)
    if not begins:
        return None
    lasting = [fault for fault in run.status.faults if not run.fault(fault.name).spec.instant]
    lifted = [from_timestamp(fault.lifted_at) for fault in lasting if fault.lifted_at]
    reverting = step(run, StepName.REVERTING)
    if len(lifted) < len(lasting) and reverting is not None and reverting.completed_at is not None:
        lifted.append(from_timestamp(reverting.completed_at))
    return max([*begins, *lifted])


def _begins(run: ExperimentRun) -> list[float]:
    """When each fault that was begun hit its first target, and a kill each of its targets. Asked for, if no more."""
    armed = {fault.name: from_timestamp(fault.armed_at) for fault in run.status.faults if fault.armed_at}
    kills = [target for target in run.status.targets if target.fault not in armed]
    called = [
        from_timestamp(moment)
        for target in kills
        if (moment := target.armed_at or target.answered_at or target.requested_at) is not None
    ]
    return [*armed.values(), *called]


def judged_window(run: ExperimentRun) -> Window | None:
    """From the first target that was hit to the end of the recovery."""
    start, ended = injected_at(run), ended_at(run)
    if start is None or ended is None:
        return None
    return Window(start, ended + run.spec.timing.recovery.total_seconds())


def record(name: str, window: Window, figures: Mapping[str, Any]) -> WindowRecord:
    """What was measured in a window, as a run's record keeps it."""
    return WindowRecord.model_validate(
        {**figures, "name": name, "from": to_timestamp(window.start), "to": to_timestamp(window.end)}
    )
