"""Settings of the flooder, from its container's environment. Everything that bounds it must be set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from showstopper.api.schema.shapes import Shape
from showstopper.audio.task.settings import TaskSettings
from showstopper.audio.task.variables import Variables, word
from showstopper.errors import SettingsError
from showstopper.faults.flood import bounds
from showstopper.faults.flood import settings as names
from showstopper.faults.flood.sending import Flood


@dataclass(frozen=True, slots=True)
class FlooderSettings:
    """What the flooder sends, where to, and when it ends.

    Attributes:
        task: what every task is told.
        packets: the budget.
    """

    task: TaskSettings
    flood: Flood
    packets: int

    @classmethod
    def read(cls, environment: Mapping[str, str], now: float) -> FlooderSettings:
        """From the variables of `faults.flood.settings`.

        Args:
            environment: the container's.
            now: Unix seconds.

        Raises:
            SettingsError: for the first that is missing or wrong, by name and with what to write.
        """
        variables = Variables(environment)
        packets = variables.whole(names.PACKETS, 1, bounds.MOST_PACKETS)
        return cls(TaskSettings.read(variables, names.TASK, now), _flood(variables, packets), packets)


def _flood(variables: Variables, packets: int) -> Flood:
    flood = Flood(
        shape=word(Shape, names.SHAPE, variables.text(names.SHAPE)),
        size=variables.whole(names.SIZE, 1, bounds.LARGEST),
        rate=_rate(variables),
        sources=variables.whole(names.SOURCES, 1, bounds.MOST_SOURCES),
        duration=_duration(variables),
        packets=packets,
    )
    for objection in bounds.objections(flood):
        raise SettingsError(f"no such flood: {objection}")
    return flood


def _rate(variables: Variables) -> int | None:
    fast = names.AS_FAST_AS_POSSIBLE
    if variables.text(names.RATE) == fast:
        return None
    return variables.whole(names.RATE, 1, bounds.FASTEST, f', or "{fast}" for as fast as possible')


def _duration(variables: Variables) -> timedelta:
    shortest, longest = bounds.SHORTEST.total_seconds(), bounds.LONGEST.total_seconds()
    return timedelta(seconds=variables.number(names.SECONDS, shortest, longest))
