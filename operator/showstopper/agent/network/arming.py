"""Arming: an effect set up on one target, kept up by its lease, counted, and lifted with nothing left."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from showstopper.agent.kernel import links, nfnetlink, queueing, shaping
from showstopper.agent.kernel.nftables import Count
from showstopper.agent.kernel.queueing import Engine, HeldPackets
from showstopper.agent.network import gates
from showstopper.agent.network.bursts import BurstThread
from showstopper.agent.network.targets import Leftovers, Target
from showstopper.api.faults.network import Direction
from showstopper.errors import EffectRefused, LeaseLost
from showstopper.executor.leases import Lease
from showstopper.faults.network.behaviour import objections
from showstopper.faults.network.plan import Plan
from showstopper.faults.network.rules import BURST, Command, Device, counter
from showstopper.faults.network.traffic import NetworkEffect

_LONGEST_DRAIN = timedelta(milliseconds=500)
_DRAIN_POLL = 0.01
"""Seconds."""

_PROMPT = 30
"""Milliseconds. A transaction that took longer may have set timers that run so much longer than the lease."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted in one direction.

    Attributes:
        matched: packets that the fault was meant for.
        affected: packets that it acted on.
        media: of these, packets of the target's media. None: it has none, or is not hit there.
        passed_bytes: what a limit of the bandwidth let through. None: there is none.
    """

    matched: int
    affected: int
    media: int | None = None
    passed_bytes: int | None = None


Counters = Mapping[Direction, Figures]


@dataclass(frozen=True, slots=True)
class LiftResult:
    """The end of a fault: its last counters, and what is left of it (nothing, or a defect)."""

    counters: Counters
    leftovers: Leftovers


class Armed:
    """One effect on one target, from `start` to `lift`. Calls wait for the kernel: some milliseconds at most."""

    def __init__(
        self,
        effect: NetworkEffect,
        plan: Plan,
        number: int,
        *,
        target: Target,
        lease: Lease,
        engine: Engine,
        after: Callable[["Armed"], None],
        own: tuple[str, ...] = (),
    ) -> None:
        self.effect, self.plan, self.lease = effect, plan, lease
        self._number, self._target, self._engine, self._after = number, target, engine, after
        self._own = own
        self._devices = self._carriers()
        self._held: dict[Direction, HeldPackets] = {}
        self._pulse: BurstThread | None = None
        self._lock = threading.Lock()
        self._ending = False
        self._lifted: LiftResult | None = None

    def start(self) -> None:
        """Set it up, the lease's elements last: until then nothing is hit. What fails is taken back.

        Raises:
            KernelRefused: with what the kernel says.
            LeaseLost: when the lease ran out meanwhile.
        """
        try:
            self._target.do(self._build)
            self.lease.renew(self.lease.until)
            self._target.do(self._extend)
            if self.plan.bursts:
                self._pulse = BurstThread(self.plan.bursts, self._burst, lambda: self.lease.lost)
        except BaseException:
            self.lift()
            raise

    def refresh(self, until: float) -> None:
        """Let the fault last until then (monotonic seconds).

        Raises:
            LeaseLost: when it has lifted itself already, or is lifted.
        """
        if self._ending:  # before the lock, which is the lift's until it is over
            raise LeaseLost(f"{self.effect.name} is lifted: arm it anew")
        with self._lock:
            if self._ending:
                raise LeaseLost(f"{self.effect.name} is lifted: arm it anew")
            self.lease.renew(until)
            self._target.do(self._extend)

    def follow(self, peers: tuple[str, ...]) -> None:
        """Mean these peers from now on instead of those before, at once. Without any: nobody, until there are some.

        Raises:
            EffectRefused: when the effect is not about peers, or these are no addresses.
        """
        if self.effect.traffic.peers is None:
            raise EffectRefused(f"{self.effect.name} means everyone: it has no peers to replace")
        effect = replace(self.effect, traffic=replace(self.effect.traffic, peers=peers))
        if peers and (reasons := objections(effect)):
            raise EffectRefused(f"{self.effect.name}: {'; '.join(reasons)}")
        replaced = [command for table in self.plan.tables for command in table.replacing(peers)]
        self._target.do(lambda: self._target.nft.run(replaced))
        self.effect = effect

    def counters(self) -> Counters:
        """Packets so far, by direction. The last ones if it is lifted."""
        return self._lifted.counters if self._lifted else self._target.do(self._count)

    def announce(self) -> None:
        """Say inside the namespace that the gate is up, if this is one: who waits for it begins."""
        if self.plan.announced:
            self._target.do(gates.announce)

    def stopped(self) -> str:
        """Why it does nothing any more though its rules are there: bursts or a queue have failed. Empty: it does."""
        if self._pulse and (problem := self._pulse.problem):
            return f"its bursts have stopped: {problem}"
        problems = [held.problem for held in self._held.values() if held.problem]
        return f"a queue of its packets was given up: {problems[0]}" if problems else ""

    def vanished(self) -> tuple[str, ...]:
        """The network devices that it was armed at and that are not there any more: nothing is hit at them.

        On a node's network only those that have the target's addresses: pods come and go, and their devices with them.
        """
        gone = self._devices - frozenset(self._target.namespace.devices())
        return tuple(sorted(device.name for device in gone))

    def lift(self) -> LiftResult:
        """End the fault, let go of the packets that it holds, and remove everything. Called again, it changes nothing.

        Packets that come are untouched at once. Those in netem cannot be hurried: it waits half a second for them.
        """
        with self._lock:
            if self._lifted is None:
                self._ending = True
                if self._pulse:
                    self._pulse.stop()
                counters = self._target.do(self._end)
                self._drain()
                self._target.do(self._clear)
                self._lifted = LiftResult(self._with_late(counters), self._target.give_back(self._number))
                self._after(self)
            return self._lifted

    @property
    def unfinished(self) -> bool:
        """Whether it was to be lifted, and the kernel refused that."""
        return self._ending and self._lifted is None and not self._lock.locked()

    def _carriers(self) -> frozenset[Device]:
        devices = self._target.namespace.devices()
        if not self._own:
            return frozenset(devices)
        return links.carrying(devices, self._target.do(links.of_thread), self._own)

    def _build(self) -> None:
        plan, nft = self.plan, self._target.nft
        shaping.build(plan.traffic_classes)
        for queue in plan.queues:
            self._held[queue.direction] = self._engine.hold(queue, queueing.bind(queue.number))
        # Whatever an earlier life left under this name goes in the same transaction.
        cleared: list[Command] = []
        for family in plan.families:
            table = {"table": {"family": family, "name": plan.table}}
            cleared += [{"add": table}, {"delete": table}]
        nft.run([*cleared, *plan.commands])
        for queue in plan.queues:
            for rule in queue.foreign_rules:
                nfnetlink.add_queue_rule(*rule, queue.number)

    def _extend(self) -> None:
        """Set the kernel's timers. If that took long, set them again, shorter: they must not outlast the lease."""
        late = 0
        for _ in range(2):
            began = time.monotonic()
            milliseconds = self.lease.milliseconds - late
            if milliseconds <= 0:
                self._target.nft.end(self.plan.families, self.plan.table)
                raise LeaseLost(f"{self.effect.name}: the lease ran out while its timers were set")
            self._target.nft.extend(self.plan.families, self.plan.table, milliseconds)
            late = int((time.monotonic() - began) * 1000)
            if late < _PROMPT:
                return

    def _burst(self, milliseconds: int) -> None:
        self._target.do(lambda: self._target.nft.extend(self.plan.families, self.plan.table, milliseconds, of=BURST))

    def _end(self) -> Counters:
        there = self._tables()
        if not there:
            return {}
        self._target.nft.end([family for family, _ in there], self.plan.table)
        return self._count()

    def _drain(self) -> None:
        """Wait for what netem holds, as long as its delay but not for ever: with its class, the kernel drops it."""
        delayed = [each for each in self.plan.traffic_classes if each.slowdown.bits_per_second is None]
        until = time.monotonic() + _LONGEST_DRAIN.total_seconds()
        while delayed and time.monotonic() < until and self._target.do(lambda: shaping.waiting(delayed)):
            time.sleep(_DRAIN_POLL)

    def _clear(self) -> None:
        """Remove all of it, held packets first: with its chains, the kernel would drop them."""
        for held in self._held.values():
            self._engine.release(held)
        self._target.remove(self._number)
        shaping.remove(self.plan.traffic_classes)

    def _with_late(self, counters: Counters) -> Counters:
        """The last counters with the packets that were still on their way to a queue when they were read."""
        return {
            direction: self._with_media(replace(figures, affected=self._held[direction].counted))
            if direction in self._held
            else figures
            for direction, figures in counters.items()
        }

    def _with_media(self, figures: Figures) -> Figures:
        """Where media is not counted apart, and there is some, every packet is one of media."""
        traffic = self.effect.traffic
        if traffic.counts_media or not traffic.media:
            return figures
        return replace(figures, media=figures.affected)

    def _tables(self) -> list[tuple[str, str]]:
        return [(family, name) for family, name in self._target.nft.tables() if name == self.plan.table]

    def _count(self) -> Counters:
        tables = [self._target.nft.counters(family, self.plan.table) for family in self.plan.families]
        limited = shaping.limited(
            each for each in self.plan.traffic_classes if each.slowdown.bits_per_second is not None
        )
        counters = {}
        for direction in self.effect.traffic.direction.single:
            matched, affected, media = (
                sum(self._packets(table.get(counter(direction, what), Count())) for table in tables)
                for what in ("matched", "affected", "media")
            )
            figures = Figures(matched, affected, media if self.effect.traffic.counts_media else None)
            if direction in self._held:
                figures = replace(figures, affected=self._held[direction].counted)
            if (limit := limited.get(direction)) is not None:
                figures = replace(figures, affected=limit.slowed, passed_bytes=limit.passed_bytes)
            counters[direction] = self._with_media(figures)
        return counters

    def _packets(self, count: Count) -> int:
        if self.plan.datagram_bytes is None:
            return count.packets
        return gates.datagrams(self.effect.traffic, count, self.plan.datagram_bytes)
