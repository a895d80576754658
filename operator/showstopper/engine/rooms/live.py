"""LiveRoom: one room as the operator keeps it: its fleet, what it hears, and the status that says so."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import aiohttp
import structlog

from showstopper.api.room import AudioRoom, ComponentImage, Host
from showstopper.availability.hosts import HostLog
from showstopper.availability.spans import Window
from showstopper.availability.timeline import Timeline
from showstopper.clock import Clock
from showstopper.cluster import listeners
from showstopper.cluster.client import Client
from showstopper.cluster.supervision import for_ever
from showstopper.engine.rooms import media_paths, pods, releases, status
from showstopper.engine.rooms.archive_health import ArchiveWatch
from showstopper.engine.rooms.components import ComponentPod, Components
from showstopper.engine.rooms.crowds import RoomCrowd
from showstopper.engine.rooms.draining import Draining
from showstopper.engine.rooms.fleet import manifests, names
from showstopper.engine.rooms.fleet.keeper import Keeper
from showstopper.engine.rooms.listening.collector import REPORTING_SECONDS, Collector, HostCollector
from showstopper.engine.rooms.listening.door_counter import DoorCounter
from showstopper.engine.rooms.listening.roster import ListenerPod, Roster
from showstopper.engine.rooms.pod_cache import PodCache
from showstopper.engine.rooms.reporter import Reporter
from showstopper.engine.rooms.skew import ClockSkew

log = structlog.get_logger()

# How long a restarted operator looks before it says anything about a room that has a status already.
SILENT_SECONDS = 10.0
TICK_SECONDS = 1.0
# So long a room runs the same images before they are taken for a release.
SETTLED_SECONDS = 10.0
FIGURES_SECONDS = 10.0
MINUTE = 60.0
HOST_SECONDS = 6 * 3600.0
"""For how long it is remembered what a process of the host said that is gone: longer than any run."""


class LiveRoom:
    """One room. Runs use it.

    Attributes:
        room: as it is declared now.
        fleet: the room as its listeners and its host are kept: as a run knows it that holds it, else as it is declared.
        door: how many listeners the room's door shows.
        crowd: what the room's crowd hears.
        under_experiment: the name of the run whose turn it is, which keeps the room Ready meanwhile.
    """

    def __init__(
        self,
        room: AudioRoom,
        client: Client,
        clock: Clock,
        *,
        session: aiohttp.ClientSession,
        roster: Roster,
        pod_cache: PodCache,
        images: manifests.Images,
        archive: ArchiveWatch,
        port: int = listeners.PORT,
    ) -> None:
        self.room = room
        self.fleet = room
        self.timeline = Timeline()
        self.hosts = HostLog()
        self.skew = ClockSkew()
        self.under_experiment: str | None = None
        self.reporting_since: float | None = None
        self._clock = clock
        self._roster = roster
        self._images = images
        self._archive = archive
        self._keeper = Keeper(client, images)
        self._draining = Draining()
        self._components = Components(client, clock, pod_cache)
        self._reporter = Reporter(client, room.status)
        namespace, name = room.key
        self._collector = Collector(name, self.timeline, clock, session, namespace=namespace, port=port)
        self._host_collector = HostCollector(name, self.hosts, clock, session, namespace=namespace, port=port)
        self.door = DoorCounter(clock, session)
        self.crowd = RoomCrowd(room.key, clock, session, roster, port=port)
        self._news = asyncio.Event()
        self._held_by: str | None = None
        self._steps = clock.steps
        self._began = clock.now()
        self._progress = ("", 0, self._began)
        self._figures = status.Figures()
        self._figures_at = float("-inf")
        self._derive()

    def _derive(self) -> None:
        self.residents = names.residents(self.fleet)
        self.pods = names.pods(self.fleet)
        self._version = manifests.version(manifests.manifests(self.fleet, self._images)[0])

    def on_change(self, room: AudioRoom) -> None:
        """The room as the API has it now. A changed spec is acted on at once, or when no run holds the fleet."""
        self.room = room
        self._components.changed()
        if self._held_by is None:
            self._keep(room)

    def pods_changed(self) -> None:
        """A pod of the room's namespace changed, or a workload did."""
        self._components.changed()

    def hold(self, run: str, room: AudioRoom) -> None:
        """Keep the fleet as it is while a run measures with it. `room`: as the run knows it."""
        if room.metadata.uid == self.room.metadata.uid:
            self._held_by = self.under_experiment = run
            self.timeline.held = self.crowd.timeline.held = True
            self._keep(room)
            self._drain((), self._clock.now())

    def release(self, run: str) -> None:
        """The run is over: what was kept back is done now."""
        if self._held_by == run:
            self._held_by = self.under_experiment = None
            self.timeline.held = self.crowd.timeline.held = False
            self._keep(self.room)
            self._keeper.changed()  # the operator may have another image than its predecessor, who began the run

    def _keep(self, room: AudioRoom) -> None:
        changed = room.spec != self.fleet.spec
        self.fleet = room
        if changed:
            self._derive()
            self._keeper.changed()

    async def run(self) -> None:
        """Keep the fleet, listen, and report, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, work in (
                ("fleet", self._keep_fleet),
                ("listening", lambda: self._collector.run(self._there, self._heard)),
                ("host", lambda: self._host_collector.run(self._hosts_there, self._host_heard)),
                ("door", lambda: self.door.run(lambda: self.fleet)),
                ("crowd", lambda: self.crowd.run(lambda: self.fleet, self._news.set)),
                ("components", lambda: self._components.run(lambda: self.room)),
                ("status", self._report),
            ):
                group.create_task(for_ever(f"{name} of room {'/'.join(self.room.key)}", work))

    async def _keep_fleet(self) -> None:
        await self._keeper.run(
            lambda: self.fleet, held=lambda: self._held_by is not None, away=lambda: self._draining.away is not None
        )

    @property
    def ready(self) -> bool:
        """Whether the residents hear the host now, whatever the status says meanwhile."""
        return self._hearing(self._clock.now()).enough

    @property
    def complete(self) -> bool:
        """Whether all listener pods are there that are meant to be, none ends, and none is of an older version.

        Just after the room was changed, those who are to go or to be made anew may still have been heard a moment ago.
        """
        there = self._there()
        return len(there) == len(self.pods) and all(pod.version == self._version and not pod.ends for pod in there)

    @property
    def images(self) -> tuple[ComponentImage, ...]:
        """What the room's components ran at the last look."""
        return self._components.release

    def is_settled(self, now: float) -> bool:
        """Whether the room has run the same images for a while, everywhere, and is heard."""
        changes, release = self._components.changes, releases.of(self.images)
        return bool(changes) and now - changes[-1][0] >= SETTLED_SECONDS and release.settled and self.ready

    def images_since(self, moment: float) -> tuple[ComponentImage, ...]:
        """All images that were seen to come since then."""
        return tuple(image for at, images in self._components.changes if at >= moment for image in images)

    @property
    def staying(self) -> tuple[ComponentPod, ...]:
        """The pods of its components that nobody has told to end, at the last look. None, before the first one."""
        return self._components.staying

    def serving(self, now: float) -> dict[tuple[str, int], int]:
        """By address and port of a relay, how many residents get media from it."""
        return media_paths.serving(self.timeline, now)

    def serving_components(self) -> frozenset[str]:
        """The components whose pods residents get media from."""
        return self._components.serving(
            self.room, frozenset(media_paths.of_residents(self.timeline, self._clock.now()))
        )

    async def until_known(self, moment: float, timeout: float) -> bool:
        """Wait until all pods of fleet and crowd have told what was heard up to that moment, or False on time-out."""
        try:
            async with asyncio.timeout(timeout):
                while not self._known(moment):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return self._known(moment)
        return True

    def _known(self, moment: float) -> bool:
        known, host = self.timeline.known_until(self.pods), self.hosts.seen_until
        if known is None or min(known, self.crowd.known_until(self.fleet)) < moment:
            return False
        is_managed = self.fleet.spec.program.host is Host.MANAGED  # one that was and is not any more says nothing
        return not is_managed or host is None or host >= moment

    def _hosts_there(self) -> list[ListenerPod]:
        """The pods of the host. A room with a speaker of its own has none."""
        return list(self._roster.hosts(*self.room.key).values())

    def _host_heard(self) -> None:
        self.hosts.forget(self._clock.now() - HOST_SECONDS)
        self._news.set()

    def _there(self) -> list[ListenerPod]:
        """The listener pods that are meant to be and have been made."""
        known = self._roster.pods(*self.room.key)
        return [pod for name, pod in known.items() if name in self.pods]

    def _reporting(self, now: float) -> set[str]:
        answered = self._collector.answered
        return {name for name in self.pods if now - answered.get(name, float("-inf")) < REPORTING_SECONDS}

    def _heard(self) -> None:
        """An answer came."""
        self._note_reporting(self._clock.now())
        self._news.set()

    def _note_reporting(self, now: float) -> set[str]:
        reporting = self._reporting(now)
        if len(reporting) < len(self.pods):
            self.reporting_since = None
        elif self.reporting_since is None:
            self.reporting_since = now
        return reporting

    async def _report(self) -> None:
        while True:
            now = self._clock.now()
            self._look_at_clocks(now)
            situation = self._situation(now)
            if self._may_speak(now):
                self._measure(now)
                stands = self.room.model_copy(update={"status": self._reporter.written})
                wanted = status.compose(stands, situation, self._figures, now)
                await self._reporter.report(self.room, wanted, now)
            await asyncio.sleep(TICK_SECONDS)

    def _look_at_clocks(self, now: float) -> None:
        if self._steps != self._clock.steps:
            self._steps, self._figures_at = self._clock.steps, float("-inf")
            self.timeline.clock_stepped()
            self.crowd.timeline.clock_stepped()
        self.skew.look(now, self.hosts.ahead, self.timeline.ahead())

    def _may_speak(self, now: float) -> bool:
        """Not before it has had time to listen, if a status stands that may still be right."""
        standing = self._reporter.written.observed_generation == self.room.metadata.generation
        return not standing or self.reporting_since is not None or now - self._began >= SILENT_SECONDS

    def _situation(self, now: float) -> status.Situation:
        there = self._there()
        reporting = self._note_reporting(now)
        outdated = {pod.name for pod in there if pod.version != self._version}
        version, most, _ = self._progress
        if version != self._version or len(reporting - outdated) > most:
            self._progress = (self._version, len(reporting - outdated), now)
        return status.Situation(
            hearing=self._hearing(now),
            pods=len(self.pods),
            reporting=len(reporting),
            outdated=len(outdated),
            progress_at=self._progress[2],
            troubles=self._troubles(there),
            refusal=self._keeper.refusal,
            misdescribed=self._components.refusal,
            run=self.under_experiment,
            kept_back=self.room.spec != self.fleet.spec,
            away=self._draining.away.pod if self._draining.away is not None else None,
            archive=self._archive.trouble,
            crowd=self.crowd.status(self.fleet, now),
        )

    def _hearing(self, now: float) -> status.Hearing:
        return status.hearing(self.timeline.view(self._window(now, status.HEARING_SECONDS), self.residents))

    def _window(self, now: float, seconds: float) -> Window:
        """The last seconds of which something is known. A pod that has stopped reporting holds it up only so long."""
        known = self.timeline.known_until(self.pods)
        end = min(now, max(now - REPORTING_SECONDS, known if known is not None else 0.0))
        return Window(end - seconds, end)

    def _troubles(self, there: Iterable[ListenerPod]) -> tuple[str, ...]:
        known = {
            **self._collector.problems,
            **{pod.name: pod.trouble for pod in there if pod.trouble},
            **self.crowd.troubles(self.fleet),
        }
        pods = (f"pod {name}: {known[name]}" for name in sorted(known))
        return tuple(filter(None, [*pods, self.door.problem, self._components.problem]))

    def _measure(self, now: float) -> None:
        """Bring the figures up to date: the minute's now and then, who serves each time."""
        addresses = frozenset(media_paths.of_residents(self.timeline, now))
        audible, indicators = self._figures.audible, self._figures.indicators
        if audible is None or now - self._figures_at >= FIGURES_SECONDS:
            self._figures_at = now
            view = self.timeline.view(self._window(now, MINUTE), self.residents)
            audible, indicators = status.measured(replace(view, host_clocks=self.hosts.clocks))
        behind = self._components.behind(self.room, addresses)
        release = self._components.release
        self._figures = status.Figures(audible, indicators, tuple(pods.names(behind.values())), release)
        self._drain(behind.values(), now)

    def _drain(self, serving: Iterable[pods.Pod], now: float) -> None:
        """Have the fleet leave a relay that drains, or come back."""
        before = self._draining.away
        self._draining.look(serving, self._components.all, now, held=self._held_by is not None)
        if (after := self._draining.away) != before:
            log.info("fleet_moved", room=self.room.metadata.name, away_from=after.pod if after else None)
            self._progress = self._version, 0, now
            self._keeper.changed()
