"""Feeds: what a room's listeners and crowd report, read through the API server's pod proxy with the caller's rights."""

import asyncio
import json
from collections.abc import Mapping
from statistics import median
from typing import Any

from showstopper.availability.crowd_feed import CrowdReader
from showstopper.availability.errors import FeedError
from showstopper.availability.feed import Feed, parse_feed
from showstopper.availability.timeline import Timeline
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import POD
from showstopper.cluster.listeners import CROWD, LISTENER, PORT, ROLE_LABEL, ROOM_LABEL
from showstopper.errors import ClusterError, Forbidden

EVERY_SECONDS = 1.0
TIMEOUT_SECONDS = 3.0
PODS_EVERY_SECONDS = 5.0
"""Pods come and go slowly, and reading them costs the API server more than a feed."""


_OWN_CLOCK_UNCERTAINTY = 5.0
"""Seconds by which a pod's own clock is trusted less than a reading of the operator's."""


class Feeds:
    """The feeds of one room's listeners.

    Args:
        known: what they reported before, by better readings of their clocks. It is completed.
        crowd: what the room's crowd reported before. It is completed. None: the crowd is not asked.

    Attributes:
        timeline: what they have reported, in unix seconds of the cluster.
        crowd: what the crowd has, which is some five seconds late.
        note: why nothing is reported. Empty if something is.
    """

    def __init__(
        self,
        client: Client,
        namespace: str,
        room: str,
        clock: Clock,
        *,
        keep: float = 900.0,
        known: Timeline | None = None,
        crowd: Timeline | None = None,
    ) -> None:
        self.timeline = known if known is not None else Timeline(keep)
        self.crowd = crowd
        self.note = ""
        self._uncertainty = 0.0 if known is None else _OWN_CLOCK_UNCERTAINTY
        self._crowd_uncertainty = 0.0 if crowd is None or crowd.seen_until() is None else _OWN_CLOCK_UNCERTAINTY
        self._client = client
        self._namespace = namespace
        self._room = room
        self._clock = clock
        self._ahead: dict[str, float] = {}
        self._reader = CrowdReader()
        self._crowd_read: dict[str, tuple[str, int]] = {}

    def now(self) -> float:
        """The cluster's time in unix seconds: a run's times are the cluster's, and this machine's clock may be off."""
        return self._clock.now() + (median(self._ahead.values()) if self._ahead else 0.0)

    @property
    def ahead(self) -> dict[str, float]:
        """By pod, how many seconds its clock is ahead of this machine's."""
        return dict(self._ahead)

    async def run(self) -> None:
        """Read all feeds every second, until cancelled."""
        pods: dict[str, str] = {}
        looked = float("-inf")
        while True:
            started = self._clock.now()
            if started - looked >= PODS_EVERY_SECONDS or not pods:
                pods, looked = await self._pods(), started
            await self._ask_all(pods)
            await asyncio.sleep(max(0.1, EVERY_SECONDS - (self._clock.now() - started)))

    async def once(self) -> None:
        """Read all feeds once."""
        await self._ask_all(await self._pods())

    async def _ask_all(self, pods: Mapping[str, str]) -> None:
        asked = (self._ask_crowd(pod) if role == CROWD else self._ask(pod) for pod, role in pods.items())
        await asyncio.gather(*asked)

    async def _pods(self) -> dict[str, str]:
        """The role of each pod that can be asked, by its name."""
        roles = {LISTENER} if self.crowd is None else {LISTENER, CROWD}
        labels = {ROOM_LABEL: self._room, ROLE_LABEL: LISTENER if self.crowd is None else ""}
        try:
            pods = await self._client.list(POD, self._namespace, labels=labels)
        except Forbidden:
            self.note = f"no sound to show: you may not list pods in namespace {self._namespace}"
            return {}
        except ClusterError as error:
            self.note = f"no sound to show: {error}"
            return {}
        answering = {pod["metadata"]["name"]: _role(pod) for pod in pods if pod.get("status", {}).get("podIP")}
        there = LISTENER in map(_role, pods)
        self.note = "" if there else f"room {self._namespace}/{self._room} has no listener pods yet"
        return {name: role for name, role in answering.items() if role in roles}

    async def _ask(self, pod: str) -> None:
        before = self.timeline.boot(pod)
        try:
            feed = await self._read(pod, self.timeline.after(pod))
            self.timeline.add(feed)
            if before not in {None, feed.boot}:
                # A new process counts from 1 again, and was asked from where the old one had got to.
                self.timeline.add(await self._read(pod, 0))
        except Forbidden:
            self.note = f"no sound to show: you may not get pods/proxy in namespace {self._namespace}"
        except (ClusterError, FeedError):
            return  # starting, restarting or gone: the state of its listeners is unknown

    async def _ask_crowd(self, pod: str) -> None:
        assert self.crowd is not None
        boot, after = self._crowd_read.get(pod, ("", 0))
        try:
            feed = await self._read_crowd(pod, after)
            if after and feed.boot != boot:
                feed = await self._read_crowd(pod, 0)
        except (ClusterError, FeedError):
            return  # as with listeners: what is not told is unknown
        self.crowd.add(feed)
        self._crowd_read[pod] = feed.boot, feed.next

    async def _read(self, pod: str, after: int) -> Feed:
        document, offset = await self._get(pod, f"spans?after={after}")
        return parse_feed(document, offset, self._uncertainty)

    async def _read_crowd(self, pod: str, after: int) -> Feed:
        document, offset = await self._get(pod, f"crowd?after={after}")
        return self._reader.read(document, pod, offset, self._crowd_uncertainty)

    async def _get(self, pod: str, feed: str) -> tuple[object, float]:
        """What a pod answers, and what to add to its clock to have the cluster's time."""
        asked = self._clock.now()
        content = await self._client.raw(
            f"{POD.path(self._namespace)}/{pod}:{PORT}/proxy/v1/{feed}", timeout=TIMEOUT_SECONDS
        )
        reading = clock_of(pod, content)
        self._ahead[pod] = reading["wall"] - (asked + self._clock.now()) / 2
        return json.loads(content), reading["wall"] - reading["monotonic"]


def _role(pod: Object) -> str:
    """The role of a pod: those that are asked for by it need not say it."""
    return str(pod["metadata"].get("labels", {}).get(ROLE_LABEL, LISTENER))


def clock_of(pod: str, content: bytes) -> dict[str, float]:
    """Both clocks of the pod when it answered.

    Raises:
        FeedError: this is not a feed.
    """
    try:
        document: Any = json.loads(content)
        return {name: float(document["clock"][name]) for name in ("wall", "monotonic")}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FeedError(pod, "clock", "is not there") from error
