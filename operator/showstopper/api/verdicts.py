"""Verdicts in the API: the words that a run's status has for what `availability` decides."""

from showstopper.availability.verdicts import Verdict

__all__ = ["Verdict"]
