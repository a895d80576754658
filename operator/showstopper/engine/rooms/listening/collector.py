"""Collectors: ask every pod of a room's fleet each second what it heard or said, and keep that."""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Generic, TypeVar

import aiohttp
import structlog

from showstopper.availability.crowd_feed import CrowdReader, Failures
from showstopper.availability.errors import FeedError
from showstopper.availability.feed import Feed
from showstopper.availability.hosts import HostLog
from showstopper.availability.spans import Window
from showstopper.availability.timeline import Timeline
from showstopper.clock import Clock
from showstopper.cluster import listeners
from showstopper.engine.rooms.listening.roster import ListenerPod

log = structlog.get_logger()

T = TypeVar("T")

EVERY_SECONDS = 1.0
REPORTING_SECONDS = 4.0
"""A pod reports that has answered within one question, its time limit and some delay."""


class PodCollector(ABC, Generic[T]):
    """Asks the pods of one room. What hinders one pod is kept in `problems`, and hinders no other.

    Args:
        known: what answers are added to.
    """

    def __init__(
        self,
        room: str,
        known: T,
        clock: Clock,
        session: aiohttp.ClientSession,
        *,
        namespace: str = "",
        port: int = listeners.PORT,
    ) -> None:
        self.answered: dict[str, float] = {}
        self.problems: dict[str, str] = {}
        self._room = room
        self._known = known
        self._clock = clock
        self._session = session
        self._port = port
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._log = log.bind(namespace=namespace, room=room)

    @abstractmethod
    async def _read(self, pod: str, address: str) -> None:
        """Read what is new.

        Raises:
            FeedError: when the pod answers something else.
            aiohttp.ClientError, TimeoutError, OSError: when it does not answer.
        """

    async def run(self, pods: Callable[[], Iterable[ListenerPod]], heard: Callable[[], None]) -> None:
        """Ask for ever. `heard` is called after each answer. A pod that is slow to answer holds up no other."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                self.ask_all(pods(), heard)
                due = max(due + EVERY_SECONDS, loop.time())
                await asyncio.sleep(due - loop.time())
        finally:
            for task in self._asking.values():
                task.cancel()

    def ask_all(self, pods: Iterable[ListenerPod], heard: Callable[[], None]) -> None:
        """Ask all pods that have an address and still owe no answer. Drop what is known of the ways to others."""
        there = {pod.name: pod for pod in pods}
        self.answered = {name: at for name, at in self.answered.items() if name in there}
        self.problems = {name: why for name, why in self.problems.items() if name in there}
        for name, pod in there.items():
            if pod.address and name not in self._asking:
                task = asyncio.create_task(self._ask_once(name, pod.address, heard))
                self._asking[name] = task

    async def _ask_once(self, pod: str, address: str, heard: Callable[[], None]) -> None:
        try:
            problem = await self._ask(pod, address)
            self._note(pod, problem)
            if not problem:
                self.answered[pod] = self._clock.now()
                heard()
        finally:
            del self._asking[pod]

    async def _ask(self, pod: str, address: str) -> str:
        """Read what is new. Returns why that was not possible, or an empty string."""
        try:
            await self._read(pod, address)
        except (FeedError, aiohttp.ClientError, TimeoutError, OSError) as error:
            return listeners.trouble(error)
        return ""

    def _note(self, pod: str, problem: str) -> None:
        """Keep a problem, and log it once when it comes and once when it has gone."""
        known = self.problems.get(pod, "")
        if problem:
            self.problems[pod] = problem
        else:
            self.problems.pop(pod, None)
        if problem and not known:
            self._log.warning("pod_unheard", pod=pod, problem=problem)
        elif known and not problem:
            self._log.info("pod_heard_again", pod=pod)


class Collector(PodCollector[Timeline]):
    """Asks listener pods, and adds what they heard to the room's timeline."""

    async def _read(self, pod: str, address: str) -> None:
        before = self._known.boot(pod)
        feed = await self._feed(pod, address, self._known.after(pod))
        self._known.add(feed)
        if before not in {None, feed.boot}:
            # A new process counts from 1 again: what was asked for was the old one's.
            self._known.add(await self._feed(pod, address, 0))

    async def _feed(self, pod: str, address: str, after: int) -> Feed:
        return await listeners.read(
            self._session, self._clock, room=self._room, pod=pod, address=address, port=self._port, after=after
        )


class CrowdCollector(Collector):
    """Asks crowd pods, and adds what their listeners heard to a timeline of theirs."""

    @cached_property
    def _reader(self) -> CrowdReader:
        return CrowdReader()

    def ask_all(self, pods: Iterable[ListenerPod], heard: Callable[[], None]) -> None:
        """Ask all pods, and forget what is known of others: a crowd is a thousand listeners."""
        there = list(pods)
        self._reader.keep(pod.name for pod in there)
        super().ask_all(there, heard)

    def failures(self, pods: Iterable[str], window: Window) -> Failures:
        """What the instrument did in these pods in a time."""
        return self._reader.failures(pods, window)

    def refusals(self, pods: Iterable[str]) -> Counter[str]:
        """Joins that were refused in these pods, by reason."""
        return self._reader.refusals(pods)

    async def _feed(self, pod: str, address: str, after: int) -> Feed:
        return await listeners.read_crowd(
            self._session,
            self._clock,
            self._reader,
            room=self._room,
            pod=pod,
            address=address,
            port=self._port,
            after=after,
        )


class HostCollector(PodCollector[HostLog]):
    """Asks the pods of the room's host, and adds what they say of themselves to its log."""

    async def _read(self, pod: str, address: str) -> None:
        feed = await listeners.read_host(self._session, self._clock, pod=pod, address=address, port=self._port)
        self._known.add(feed)
