"""Measurement: an indicator's figure in a window, and between which bounds the truth lies."""

import math
from dataclasses import dataclass

from showstopper.api.indicators import Indicator, Unit


@dataclass(frozen=True, slots=True)
class Measurement:
    """An indicator in a window, in the indicator's unit (share 0 to 1, seconds, count).

    `value` is what is shown (None: not measured, and `reason` says why). The truth lies in [lower, upper], whatever the
    Unknown spans hid and however an outage goes on behind the window: expectations are judged by these bounds, so that
    missing evidence never makes a verdict better. `samples` is how many listeners or arrivals it rests on.
    """

    indicator: Indicator
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
        return self.indicator.unit

    @property
    def exact(self) -> bool:
        """Whether nothing Unknown and nothing unfinished touches it."""
        return self.value is not None and self.lower == self.upper


def unmeasured(indicator: Indicator, reason: str) -> Measurement:
    """Nothing is known: the truth may be anything that the unit allows."""
    return Measurement(indicator, None, 0, 0.0, 1.0 if indicator.unit is Unit.SHARE else math.inf, reason)
