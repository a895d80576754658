"""RoomCrowd: what a room's crowd hears, asked each second, and counted for the room's status."""

import math
from collections import Counter
from collections.abc import Callable, Mapping

import aiohttp

from showstopper.api.room import AudioRoom, CrowdStatus
from showstopper.availability.crowd_feed import Failures
from showstopper.availability.spans import State, Window
from showstopper.availability.timeline import Timeline
from showstopper.clock import Clock
from showstopper.engine.rooms.fleet import names
from showstopper.engine.rooms.listening.collector import REPORTING_SECONDS, CrowdCollector
from showstopper.engine.rooms.listening.roster import ListenerPod, Roster
from showstopper.engine.rooms.status import LIVE_SHARE

LONGEST = 256
"""Of a text in a status."""


class RoomCrowd:
    """The crowd of one room, which may have none.

    Attributes:
        timeline: what its listeners told.
    """

    def __init__(
        self, key: tuple[str, str], clock: Clock, session: aiohttp.ClientSession, roster: Roster, *, port: int
    ) -> None:
        namespace, name = key
        self._key = key
        self._roster = roster
        self.timeline = Timeline()
        self._collector = CrowdCollector(name, self.timeline, clock, session, namespace=namespace, port=port)

    async def run(self, room: Callable[[], AudioRoom], heard: Callable[[], None]) -> None:
        """Ask for ever what the room's crowd hears. `heard` is called after each answer."""
        await self._collector.run(lambda: self._there(room()), heard)

    def known_until(self, room: AudioRoom) -> float:
        """Up to when all its pods have told what is settled. Infinity: the room has no crowd. 0: one told nothing."""
        pods = names.crowd_pods(room)
        known = self.timeline.known_until(pods) if pods else math.inf
        return known if known is not None else 0.0

    def is_live(self, room: AudioRoom, now: float) -> bool:
        """Whether the crowd hears the host. One that does not exist hinders nobody."""
        status = self.status(room, now)
        return status is None or status.live >= LIVE_SHARE * status.intended

    def failures(self, room: AudioRoom, window: Window) -> Failures:
        """What the crowd's own processes did in a time."""
        return self._collector.failures(names.crowd_pods(room), window)

    def status(self, room: AudioRoom, now: float) -> CrowdStatus | None:
        """How many hear the host, as far as that is settled. None if the room has no crowd."""
        crowd = room.spec.listeners.crowd
        if crowd is None:
            return None
        answered = self._collector.answered
        reporting = {pod for pod in names.crowd_pods(room) if now - answered.get(pod, 0.0) < REPORTING_SECONDS}
        current = self.timeline.current()
        states = Counter(span.state for name, span in current.items() if name.rpartition("/")[0] in reporting)
        unknown, live = states.pop(State.UNKNOWN, 0), states.pop(State.LIVE, 0)
        return CrowdStatus(
            intended=crowd.count,
            reporting=live + states.total(),
            live=live,
            others=_counted({**states, State.UNKNOWN: unknown}),
            refusals=_counted(self._collector.refusals(reporting)),
        )

    def troubles(self, room: AudioRoom) -> Mapping[str, str]:
        """By pod, why it does not run or is not heard."""
        pods = {pod.name: pod.trouble for pod in self._there(room) if pod.trouble}
        return {**self._collector.problems, **pods}

    def _there(self, room: AudioRoom) -> list[ListenerPod]:
        """The crowd pods that are meant to be and have been made."""
        wanted = names.crowd_pods(room)
        return [pod for name, pod in self._roster.crowd(*self._key).items() if name in wanted]


def _counted(counts: Mapping[State, int] | Mapping[str, int]) -> str | None:
    """In words, the most frequent first: "12 NoMedia, 3 Offline". None if there is nothing."""
    most_first = sorted((-count, str(what)) for what, count in counts.items() if count)
    return ", ".join(f"{-count} {what}" for count, what in most_first)[:LONGEST] or None
