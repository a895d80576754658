"""The agent's core: it arms effects in namespaces of its node, writes down what it does, and sweeps what was left."""

import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import structlog

from showstopper.agent.journal import Entry, Journal
from showstopper.agent.kernel import backends, links
from showstopper.agent.kernel.backends import Backends
from showstopper.agent.kernel.namespaces import Namespace, inode_of
from showstopper.agent.kernel.queueing import Engine
from showstopper.agent.network.arming import Armed
from showstopper.agent.network.targets import Leftovers, Target
from showstopper.errors import AgentError, EffectRefused, KernelRefused, LeaseLost, NamespaceGone
from showstopper.executor.leases import Lease
from showstopper.faults.network.behaviour import objections
from showstopper.faults.network.plan import Plan
from showstopper.faults.network.rules import Device, Site
from showstopper.faults.network.traffic import NetworkEffect

log = structlog.get_logger()


class Node:
    """All network faults of one node. Its methods may be called from any thread. They wait for the kernel.

    Args:
        journal: what is armed, for the next life.
        able: what this node's kernel can do. None: find out.
    """

    def __init__(self, journal: Journal, able: Backends | None = None) -> None:
        self.able = able or backends.probe()
        self._journal = journal
        self._engine = Engine()
        # By their namespace's inode: the path to a pod's changes when the process goes by which it leads there.
        self._targets: dict[int, Target] = {}
        self._armed: dict[Armed, tuple[int, Entry]] = {}
        self._lock = threading.RLock()

    def arm(self, namespace: Path, effect: NetworkEffect, until: float, own: tuple[str, ...] = ()) -> Armed:
        """Have an effect act in a namespace from now on, until a monotonic time that `refresh` moves.

        Args:
            namespace: where it is bound: /run/netns/NAME, or /proc/PID/ns/net.
            effect: what to do.
            until: the end of the lease, in monotonic seconds.
            own: the target's addresses, where it shares the node's network with others.

        Raises:
            EffectRefused: it is out of bounds, or this node has no means for it.
            NamespaceGone: there is no such namespace.
            KernelRefused: with what the kernel says, of the journal too. Everything is taken back.
            LeaseLost: `until` is past.
        """
        self._check(effect, until)
        self._lift_again()
        with self._lock:
            key, target = self._target(namespace)
            entry = Entry(str(namespace), effect.name)
            try:
                armed = self._prepare(target, effect, Lease(until), own, entry)
            except BaseException:
                self._leave(key)
                raise
            self._armed[armed] = (key, entry)
        armed.start()
        return armed

    def preview(self, namespace: Path, effect: NetworkEffect, own: tuple[str, ...] = ()) -> Plan:
        """The plan that `arm` would set up. `faults.network.preview.lines` shows it.

        Raises:
            EffectRefused: as `arm`.
            NamespaceGone: as `arm`.
        """
        self._check(effect, float("inf"))
        with Namespace.at(namespace) as there:
            return self.able.plan(effect, _site(there, effect, own), 1)

    def sweep(self, namespaces: Iterable[Path] = ()) -> dict[str, Leftovers]:
        """Remove what earlier lives left, in the journal's namespaces and in these. Returns it by namespace.

        Raises:
            AgentError: when something is armed now.
        """
        with self._lock:
            if self._armed:
                raise AgentError("faults are armed: sweep before the first one, or lift them")
            paths = {entry.namespace for entry in self._journal.open_entries()} | {str(path) for path in namespaces}
            swept = {path: left for path in sorted(paths) if (left := _swept(path))}
            self._journal.clear()
            return swept

    def close(self) -> None:
        """Lift everything, and end."""
        for armed in list(self._armed):
            armed.lift()
        self._engine.close()
        self._journal.close()

    def _lift_again(self) -> None:
        """Lift what the kernel refused to let go of. Until then it takes up a number, and keeps its namespace."""
        for armed in [armed for armed in list(self._armed) if armed.unfinished]:
            with suppress(AgentError):  # its own target's record says what is left
                armed.lift()

    def _check(self, effect: NetworkEffect, until: float) -> None:
        reasons = objections(effect)
        if reasons:
            raise EffectRefused(f"{effect.name}: {'; '.join(reasons)}")
        self.able.needed(effect)
        if Lease(until).lost:
            raise LeaseLost(f"{effect.name}: the lease has run out already")

    def _prepare(
        self, target: Target, effect: NetworkEffect, lease: Lease, own: tuple[str, ...], entry: Entry
    ) -> Armed:
        """Plan it, and write down that it is about to be set up."""
        number, plan = target.take(lambda number: self._plan(target, effect, number, own))
        try:
            armed = Armed(
                effect, plan, number, target=target, lease=lease, engine=self._engine, after=self._after, own=own
            )
            self._journal.arming(entry)
        except BaseException:
            target.drop(number)
            raise
        return armed

    def _plan(self, target: Target, effect: NetworkEffect, number: int, own: tuple[str, ...]) -> Plan:
        site = _site(target.namespace, effect, own)
        if not site.devices:
            raise EffectRefused(f"{target.namespace.path} has no network device but lo: nothing passes there")
        return self.able.plan(effect, site, number, target.plans)

    def _target(self, namespace: Path) -> tuple[int, Target]:
        key = inode_of(namespace)
        if key not in self._targets:
            self._targets[key] = _clean(namespace)
        return key, self._targets[key]

    def _after(self, armed: Armed) -> None:
        with self._lock:
            key, entry = self._armed.pop(armed)
            self._leave(key)
            try:
                self._journal.lifted(entry)
            except KernelRefused as error:  # it is lifted all the same: the next life looks for it in vain
                log.warning("lift_not_written", effect=entry.effect, problem=str(error))

    def _leave(self, key: int) -> None:
        target = self._targets.get(key)
        if target is not None and target.idle:
            del self._targets[key]
            target.close()


def _clean(namespace: Path) -> Target:
    """A namespace without anything of earlier lives: the journal's way there may have gone with a process."""
    target = Target(Namespace.at(namespace))
    try:
        if target.dirty and (left := target.sweep()):
            log.warning("swept_before_arming", namespace=str(namespace), left=str(left))
    except BaseException:
        target.close()
        raise
    return target


def _site(namespace: Namespace, effect: NetworkEffect, own: tuple[str, ...]) -> Site:
    gateways = namespace.call(links.gateways_of_thread) if effect.traffic.spared else ()
    return Site(_devices(namespace, own), own, gateways)


def _devices(namespace: Namespace, own: tuple[str, ...]) -> tuple[Device, ...]:
    """The devices that a target's packets pass: all of its own network, and of its node's each that they pass once."""
    devices = namespace.devices()
    return links.passed_once(devices, namespace.call(links.of_thread)) if own else devices


def _swept(path: str) -> Leftovers | None:
    """What there was in a namespace. None: nothing, or it is gone and all with it."""
    try:
        target = Target(Namespace.at(Path(path)))
    except NamespaceGone:
        return None
    try:
        return target.sweep() or None
    finally:
        target.close()
