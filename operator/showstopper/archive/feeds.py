"""Feeds: asks every listener pod and crowd pod of the cluster what is new, and has it kept."""

import asyncio
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import structlog

from showstopper.archive import writing
from showstopper.archive.keeper import Keeper
from showstopper.archive.writing import FeedAnswer
from showstopper.availability.crowd_feed import CrowdReader
from showstopper.availability.errors import FeedError
from showstopper.availability.feed import Feed
from showstopper.clock import Clock
from showstopper.cluster import listeners
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.cluster.mirror import Mirror
from showstopper.errors import ArchiveError

log = structlog.get_logger()
EVERY_SECONDS = 2.0
"""What a pod has told within this may go with it when it dies; the operator, which asks more often, judges without
us."""

MOST_SPANS_AN_HOUR = 100_000
"""Kept of a crowd pod: some 8 MB an hour. It is enough for ten outages of a thousand listeners with ten changes
each."""

Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class ListenerPod:
    """Where a pod of listeners is found.

    Attributes:
        place: its namespace, room and name.
        address: its IP, "" if it has none yet.
        role: what it has: listeners, or a crowd.
    """

    place: Place
    address: str
    role: str = listeners.LISTENER


class SpanQuota:
    """How many spans and visits may still be kept of a crowd pod. It comes back evenly over an hour."""

    def __init__(self) -> None:
        self._left = float(MOST_SPANS_AN_HOUR)
        self._at = 0.0

    def take(self, spans: int, now: float) -> bool:
        """Whether so many may be kept. If so, they are taken."""
        back = max(0.0, now - self._at) / 3600 * MOST_SPANS_AN_HOUR
        self._left, self._at = min(float(MOST_SPANS_AN_HOUR), self._left + back), now
        allowed = spans <= self._left
        self._left -= spans if allowed else 0
        return allowed


class Feeds:
    """All pods of listeners and crowds, and how far each feed is kept. The mirror, another task's, tells which."""

    def __init__(
        self,
        mirror: Mirror[ListenerPod],
        keeper: Keeper,
        clock: Clock,
        session: aiohttp.ClientSession,
        *,
        port: int = listeners.PORT,
    ) -> None:
        self._mirror = mirror
        self.problems: dict[Place, str] = {}
        self.answers = 0
        self._keeper = keeper
        self._clock = clock
        self._session = session
        self._port = port
        self._positions: dict[Place, tuple[str, int]] | None = None
        # By pod: rooms of two namespaces may have pods of the same name.
        self._readers: dict[Place, CrowdReader] = {}
        # Of the crowds whose newest answer is kept: what began before that is written. Others are read afresh.
        self._written: dict[Place, float] = {}
        self._allowances: dict[Place, SpanQuota] = {}

    @property
    def pods(self) -> dict[Place, ListenerPod]:
        """The pods of listeners and crowds that have an address, by place."""
        return {pod.place: pod for pod in self._mirror.all() if pod.address and pod.role in _ASKED}

    async def run(self) -> None:
        """Ask for ever. What cannot be kept is asked for again."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self.once()
            await asyncio.sleep(max(0.0, began + EVERY_SECONDS - loop.time()))

    async def once(self) -> None:
        """Ask every pod once, and keep what they say.

        Raises:
            ArchiveError: when it cannot be known how far they were read, or nothing of it can be kept.
        """
        if self._positions is None:
            self._positions = await self._keeper.read(writing.positions)
        pods = self.pods
        self.problems = {place: why for place, why in self.problems.items() if place in pods}
        self._readers = {place: reader for place, reader in self._readers.items() if place in pods}
        self._written = {place: at for place, at in self._written.items() if place in pods}
        self._allowances = {place: left for place, left in self._allowances.items() if place in pods}
        asked = await asyncio.gather(*(self._ask(pod) for pod in pods.values()))
        answers = [answer for answer in asked if answer is not None]
        try:
            await self._keep(answers)
        except ArchiveError:
            if len(answers) < 2:
                raise
            await self._keep_each(answers)

    async def _ask(self, pod: ListenerPod) -> FeedAnswer | None:
        """What is new. None if the pod does not answer."""
        assert self._positions is not None
        boot, after = self._positions.get(pod.place, ("", 0))
        if pod.role == listeners.CROWD and pod.place not in self._written:
            after = 0
        try:
            feed = await self._read(pod, after)
            if after and feed.boot != boot:
                # A new process counts from 1 again: what was asked for was the old one's.
                after, feed = 0, await self._read(pod, 0)
        except (FeedError, aiohttp.ClientError, TimeoutError, OSError) as error:
            self._note(pod.place, listeners.trouble(error))
            return None
        if pod.role == listeners.CROWD:
            return self._of_crowd(pod.place, feed, afresh=after == 0 or feed.lost > 0)
        self._note(pod.place, "")
        return FeedAnswer(pod.place[0], feed, self._clock.now())

    def _of_crowd(self, place: Place, feed: Feed, *, afresh: bool) -> FeedAnswer:
        """What is to be kept of a crowd's answer: changes and visits. Of one with too many: that nothing is known."""
        now, written = self._clock.now(), self._written.pop(place, -math.inf)
        settled = min((span.end for span in feed.open), default=feed.clock)
        over = sum(1 for visit in feed.arrivals if visit.left is not None)
        if self._allowances.setdefault(place, SpanQuota()).take(len(feed.spans) + over, now):
            self._note(place, "")
        else:
            self._note(place, f"a crowd that changes more often than {MOST_SPANS_AN_HOUR} times an hour is not kept")
            feed = replace(feed, spans=(), open=(), arrivals=(), lost=max(feed.lost, 1))
        return FeedAnswer(place[0], feed, now, settled, -math.inf if afresh else written)

    async def _read(self, pod: ListenerPod, after: int) -> Feed:
        _, room, name = pod.place
        if pod.role == listeners.CROWD:
            return await listeners.read_crowd(
                self._session,
                self._clock,
                self._readers.setdefault(pod.place, CrowdReader()),
                room=room,
                pod=name,
                address=pod.address,
                port=self._port,
                after=after,
            )
        return await listeners.read(
            self._session, self._clock, room=room, pod=name, address=pod.address, port=self._port, after=after
        )

    async def _keep(self, answers: Iterable[FeedAnswer]) -> None:
        """Keep them in one transaction. Only then ask for what follows."""
        answers = list(answers)
        if not answers:
            return

        def keep(connection: Any) -> None:
            for answer in answers:
                writing.keep_feed(connection, answer)

        await self._keeper.write(keep)
        assert self._positions is not None
        for answer in answers:
            feed = answer.feed
            place = answer.namespace, feed.room, feed.pod
            self._positions[place] = (feed.boot, feed.next)
            if answer.settled is not None:
                # Of an answer that was too long, nothing is: whoever goes on in it is written with the next one.
                self._written[place] = answer.settled if feed.open else -math.inf
        self.answers += len(answers)

    async def _keep_each(self, answers: Iterable[FeedAnswer]) -> None:
        """Keep one after the other: what a database does not take of one pod must not keep out the others."""
        for answer in answers:
            try:
                await self._keep([answer])
            except ArchiveError as error:
                self._note((answer.namespace, answer.feed.room, answer.feed.pod), f"cannot be kept: {error}")

    def _note(self, place: Place, problem: str) -> None:
        """Keep a problem. Log it once when it comes, and once when it has gone."""
        known = self.problems.pop(place, "")
        if problem:
            self.problems[place] = problem
        if bool(problem) is not bool(known):
            namespace, room, pod = place
            event = "listener_pod_unheard" if problem else "listener_pod_heard_again"
            log.info(event, namespace=namespace, room=room, pod=pod, problem=problem or known)


_ASKED = frozenset({listeners.LISTENER, listeners.CROWD})


def listener_pods(client: Client) -> Mirror[ListenerPod]:
    """The pods of rooms' listeners, crowds and hosts. The hosts are not asked."""
    return Mirror(client, POD, labels={listeners.ROLE_LABEL: "", listeners.ROOM_LABEL: ""}, keep=read)


def read(body: Mapping[str, Any]) -> ListenerPod:
    """What matters of a pod."""
    metadata = body["metadata"]
    labels = metadata.get("labels", {})
    place = metadata["namespace"], labels.get(listeners.ROOM_LABEL, ""), metadata["name"]
    role = labels.get(listeners.ROLE_LABEL, listeners.LISTENER)
    return ListenerPod(place, body.get("status", {}).get("podIP") or "", role)
