"""Network hits: one target of a network fault, from finding its network to lifting what was armed there."""

import time

from showstopper.agent.hits.records import record_counts, set_state
from showstopper.agent.network.arming import Armed, Counters, Figures
from showstopper.agent.network.node import Node
from showstopper.agent.pods import PodNetwork, Pods
from showstopper.api.injection import InjectedTarget, InjectionTarget, PacketCounts, TargetState
from showstopper.clock import Clock, to_timestamp
from showstopper.errors import AgentError, LeaseLost, NamespaceGone
from showstopper.faults.network.traffic import NetworkEffect

VANISHED_SECONDS = 3.0
"""A pod that ends may lose its device before its processes: so long it is not known which of both it is."""

RESTART_SECONDS = 5.0
"""Where a container's end leaves no process in its pod's network, so long it is not known which of both has ended. A
kubelet restarts a container that has crashed within a second or two, but for one that crashes again and again."""


class NetworkHit:
    """Every effect of a network fault on one target (see `hits.Hit`).

    Attributes:
        record: the target in the Injection's status.
        method: how packets are held back, or nftables where its rules alone do it. None: it is not armed.
    """

    def __init__(
        self, target: InjectionTarget, effects: tuple[NetworkEffect, ...], *, node: Node, pods: Pods, clock: Clock
    ) -> None:
        self.record = InjectedTarget(uid=target.uid, pod=target.pod, state=TargetState.REFUSED)
        self.method: str | None = None
        self._target, self._effects = target, effects
        self._node, self._pods, self._clock = node, pods, clock
        self._armed: list[Armed] = []
        self._network: PodNetwork | None = None
        self._whole_at = 0.0
        self._empty_at: float | None = None

    def arm(self, until: float) -> None:
        """Arm every effect, or none and say why in the record."""
        try:
            self._network = network = self._pods.network(self._target.uid, self._target.address)
            if network.shared and not self._target.host_network:
                raise NamespaceGone(f"{self._target.pod} is in its node's network, and was not said to be")
            own = (self._target.address, *self._target.addresses) if self._target.host_network else ()
            for effect in self._effects:
                self._armed.append(self._node.arm(network.path, effect, until, own))
            if self._pods.again(network) is None:
                raise NamespaceGone(f"{self._target.pod} went while it was being hit")
        except AgentError as error:
            self.lift()
            set_state(
                self.record, TargetState.GONE if isinstance(error, NamespaceGone) else TargetState.REFUSED, str(error)
            )
            return
        self.method = next((armed.plan.method.value for armed in self._armed if armed.plan.method), "nftables")
        self._whole_at = time.monotonic()
        set_state(self.record, TargetState.ARMED)
        self.record.armed_at = self._now()

    def refresh(self, until: float) -> None:
        """Let it last until then.

        Raises:
            LeaseLost: it has lifted itself already.
        """
        try:
            for armed in self._armed:
                armed.refresh(until)
        except LeaseLost:
            raise
        except AgentError as error:
            self.lift()
            self.record.message = f"it could not be kept up: {error}"[:1024]

    def follow(self, peers: tuple[str, ...]) -> None:
        """Mean these peers from now on instead of those before."""
        try:
            for armed in self._armed:
                armed.follow(peers)
        except AgentError as error:
            self.lift()
            self.record.message = f"it could not follow its peers: {error}"[:1024]

    def look(self) -> bool:
        """Read the counters. Returns whether the target's first packet was among them. Notes when the pod is gone."""
        if self.record.state is not TargetState.ARMED:
            return False
        try:
            return self._look()
        except AgentError as error:
            self.lift()
            self.record.message = f"it could not be looked at: {error}"[:1024]
            return False

    def _look(self) -> bool:
        if not self.record.touched:
            self._announce()
        first = self._count([_told(armed, armed.counters()) for armed in self._armed])
        missing = tuple(dict.fromkeys(name for armed in self._armed for name in armed.vanished()))
        if self._network and (since := self._gone_since(self._network, missing)) is not None:
            self.lift()
            words = "" if self._network.shared else ", and its network with it"
            set_state(self.record, TargetState.GONE, f"{self._target.pod} is gone{words}")
            self.record.lifted_at = to_timestamp(since)
        elif vanished := self._vanished(missing):
            self.lift()
            self.record.message = (
                f"device {', '.join(vanished)} of {self._target.pod} vanished while the fault lasted: "
                "look at the node's network plugin, then run again"
            )
        elif stopped := next(filter(None, (armed.stopped() for armed in self._armed)), ""):
            self.lift()
            self.record.message = f"it could not be kept up: {stopped}"[:1024]
        return first

    def _gone_since(self, network: PodNetwork, missing: tuple[str, ...]) -> float | None:
        """Since when nobody is in the pod's network, if the pod is gone. None: it is there, or is restarted."""
        if (again := self._pods.again(network)) is not None:
            self._network, self._empty_at = again, None
            return None
        now = self._clock.now()
        since = self._empty_at = now if self._empty_at is None else self._empty_at
        restarted = network.restarts and not missing and now - since < RESTART_SECONDS
        return None if restarted else since

    def _vanished(self, missing: tuple[str, ...]) -> tuple[str, ...]:
        """Devices that have been missing for too long, though the pod is there."""
        if not missing:
            self._whole_at = time.monotonic()
        return missing if time.monotonic() - self._whole_at >= VANISHED_SECONDS else ()

    def lift(self) -> None:
        """End it, and record the last counters and what is left."""
        if not self._armed:
            return
        left: list[str] = []
        counters: list[Counters] = []
        for armed in self._armed:
            try:
                lifted = armed.lift()
            except AgentError as error:
                left.append(str(error)[:256])
                continue
            counters.append(_told(armed, lifted.counters))
            left += str(lifted.leftovers).split(", ") if lifted.leftovers else []
        if len(counters) == len(self._armed):
            self._count(counters)
        self._armed = []
        set_state(self.record, TargetState.LEFT_OVER if left else TargetState.LIFTED)
        self.record.leftovers = [leftover[:256] for leftover in left[:16]]
        self.record.lifted_at = self._now()

    def _announce(self) -> None:
        """Say that it is armed to whoever waits for it inside the network: the flooder behind a gate."""
        for armed in self._armed:
            armed.announce()

    def _count(self, counters: list[Counters]) -> bool:
        figures = [(direction, count) for by_direction in counters for direction, count in by_direction.items()]
        if not figures and self.record.last:  # the kernel has taken them with it
            return False
        met = {direction for direction, count in figures if count.matched}
        media = [count.media for _, count in figures if count.media is not None]
        passed = [count.passed_bytes for _, count in figures if count.passed_bytes is not None]
        counts = PacketCounts(
            at=self._now(),
            matched=sum(count.matched for _, count in figures),
            affected=sum(count.affected for _, count in figures),
            media=sum(media) if media else None,
            passed_bytes=sum(passed) if passed else None,
        )
        first = record_counts(self.record, counts)
        self.record.unmet = sorted({direction for direction, _ in figures} - met)
        return first

    def _now(self) -> str:
        return to_timestamp(self._clock.now())


def _told(armed: Armed, counters: Counters) -> Counters:
    """What an effect adds to the figures of its fault: a packet that several effects meet is told of by one."""
    if armed.effect.counts:
        return counters
    return {way: Figures(0, 0, passed_bytes=count.passed_bytes) for way, count in counters.items()}
