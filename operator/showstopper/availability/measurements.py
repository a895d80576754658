"""Measurement: the figure of something that is measured in a window, and between which bounds the truth lies."""

from dataclasses import dataclass
from typing import Protocol

from showstopper.availability.units import Unit


class Measurable(Protocol):
    """What an expectation can bound, whoever measures it: an indicator, or a query of another source. Hashable."""

    @property
    def name(self) -> str:
        """What it is called in an Experiment, in statuses and in sentences."""
        ...

    @property
    def unit(self) -> Unit:
        """The unit of its value and of every bound on it."""
        ...

    def __hash__(self) -> int:
        """Equal things are measured once."""
        ...


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured in a window, in its unit (share 0 to 1, seconds, count).

    `value` is what is shown (None: not measured, and `reason` says why). The truth lies in [lower, upper], whatever the
    Unknown spans hid and however an outage goes on behind the window: expectations are judged by these bounds, so that
    missing evidence never makes a verdict better. `samples` is how many listeners, arrivals or answers it rests on.
    """

    measured: Measurable
    value: float | None
    samples: int
    lower: float
    upper: float
    reason: str = ""
    worst_listener: str = ""
    worst_value: float | None = None

    @property
    def unit(self) -> Unit:
        """The unit of its figures."""
        return self.measured.unit

    @property
    def exact(self) -> bool:
        """Whether nothing Unknown and nothing unfinished touches it."""
        return self.value is not None and self.lower == self.upper


def unmeasured(measured: Measurable, reason: str) -> Measurement:
    """Nothing is known: the truth may be anything that the unit allows."""
    return Measurement(measured, None, 0, 0.0, measured.unit.most, reason)
