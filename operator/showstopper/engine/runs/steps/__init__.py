"""The steps of a run, in their order. Each is simply run again if it was begun and not completed."""

from showstopper.engine.runs.steps.baseline import Baseline
from showstopper.engine.runs.steps.hold import Hold
from showstopper.engine.runs.steps.inject import Inject
from showstopper.engine.runs.steps.judge import Judge
from showstopper.engine.runs.steps.recover import Recover
from showstopper.engine.runs.steps.revert import Revert
from showstopper.engine.runs.steps.step import Step

STEPS: tuple[Step, ...] = (Baseline(), Inject(), Hold(), Revert(), Recover(), Judge())

__all__ = ["STEPS", "Baseline", "Hold", "Inject", "Judge", "Recover", "Revert", "Step"]
