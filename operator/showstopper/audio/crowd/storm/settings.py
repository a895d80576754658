"""Settings of a storm's process, from its container's environment. Everything that bounds it must be set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from showstopper.audio.crowd.storm.shape import MOST_SECONDS, StormShape
from showstopper.audio.settings import RoomSettings
from showstopper.audio.task.settings import TaskSettings
from showstopper.audio.task.variables import Variables, word
from showstopper.errors import SettingsError
from showstopper.faults.endpoint import Endpoint
from showstopper.faults.storm import schedule
from showstopper.faults.storm import settings as names
from showstopper.faults.storm.settings import Comeback, Depth

FASTEST = 1000
"""Joins a second."""


@dataclass(frozen=True, slots=True)
class StormSettings:
    """Who joins which room, where, and when it ends.

    Attributes:
        task: what every task is told. Visitors join at its targets, in turn, and nobody is in after its end.
        room: the room, and what lets one in.
        shape: how many come, and how.
    """

    task: TaskSettings
    room: RoomSettings
    shape: StormShape

    @classmethod
    def read(cls, environment: Mapping[str, str], now: float) -> StormSettings:
        """From the variables of `faults.storm.settings`, and those of a room.

        Args:
            environment: the container's.
            now: Unix seconds.

        Raises:
            SettingsError: for the first that is missing or wrong, by name and with what to write.
        """
        variables = Variables(environment)
        task, shape = TaskSettings.read(variables, names.TASK, now), _shape(variables)
        room = RoomSettings.read(environment) if shape.depth.joins else _no_room(task.targets[0])
        return cls(task, room, shape)

    @property
    def urls(self) -> tuple[str, ...]:
        """Where visitors join: pods of the room, which have no TLS of their own."""
        return tuple(map(_url, self.task.targets))


def _url(target: Endpoint) -> str:
    return f"ws://{target}"


def _no_room(target: Endpoint) -> RoomSettings:
    """For connections by which nobody joins: there is a place, and no key."""
    return RoomSettings(name="", url=_url(target), livekit_room="", key="", secret="")


def _shape(variables: Variables) -> StormShape:
    depth = word(Depth, names.DEPTH, variables.text(names.DEPTH))
    comeback = _comeback(variables)
    most = schedule.MOST_JOINS if depth.joins else schedule.MOST_CONNECTIONS
    tries = variables.whole(names.TRIES, 1, most if comeback is None else schedule.MOST_TRIES)
    return StormShape(
        visitors=tries if comeback is None else comeback.clients,
        rate=_rate(variables),
        ramp_seconds=variables.number(names.RAMP, 0, MOST_SECONDS),
        depth=depth,
        hidden=_either(variables, names.VISIBILITY, names.HIDDEN, names.VISIBLE),
        seconds=variables.number(names.SECONDS, 0, MOST_SECONDS),
        comeback=comeback,
        tries=None if comeback is None else tries,
    )


def _comeback(variables: Variables) -> Comeback | None:
    """How clients come back. None if there are none who do."""
    if not variables.optional(names.CLIENTS):
        return None
    return Comeback(
        clients=variables.whole(names.CLIENTS, 1, schedule.MOST_CLIENTS),
        drop=variables.number(names.DROP, 0, MOST_SECONDS),
        pause=variables.number(names.PAUSE, 0, MOST_SECONDS),
    )


def _rate(variables: Variables) -> int | None:
    if variables.text(names.RATE) == names.ALL_AT_ONCE:
        return None
    return variables.whole(names.RATE, 1, FASTEST, f', or "{names.ALL_AT_ONCE}"')


def _either(variables: Variables, name: str, yes: str, no: str) -> bool:
    """Whether a variable has the first of its two words."""
    text = variables.text(name)
    if text not in {yes, no}:
        raise SettingsError(f"{name} is {text!r}; write {yes} or {no}")
    return text == yes
