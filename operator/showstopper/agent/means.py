"""Means: what an agent has to act with, and the hits that an Injection asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from showstopper.agent.containers import Containers
from showstopper.agent.freezing import FreezeHit
from showstopper.agent.frozen import FrozenCgroups
from showstopper.agent.hits import Hit
from showstopper.agent.killing import KillHit
from showstopper.agent.network_hits import NetworkHit
from showstopper.agent.node import Node
from showstopper.agent.once import Once
from showstopper.agent.pods import Pods
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.process import ContainerKill, Freeze
from showstopper.api.injection import Injection, InjectionTarget
from showstopper.clock import Clock
from showstopper.faults import registry
from showstopper.faults.network.behaviour import NetworkBehaviour, effect_name


@dataclass(frozen=True, slots=True)
class Means:
    """What hits are made with on this node."""

    node: Node
    pods: Pods
    containers: Containers
    frozen: FrozenCgroups
    once: Once
    clock: Clock

    def begun(self, injection: Injection) -> bool:
        """Whether it was begun before, and must not be again: what is done in an instant leaves nothing to sweep."""
        return injection.spec.spec.instant and self.once.begun(injection.metadata.uid)

    def begin(self, injection: Injection) -> None:
        """Write down, where it matters, that it is about to be armed."""
        if injection.spec.spec.instant:
            self.once.begin(injection.metadata.uid)

    def hits(self, injection: Injection) -> list[Hit]:
        """One for each target, in their order; those that must not be armed say why in their records."""
        return [self._hit(injection, index, target) for index, target in enumerate(injection.spec.targets)]

    def _hit(self, injection: Injection, index: int, target: InjectionTarget) -> Hit:
        spec, name = injection.spec, effect_name(injection.spec.fault, injection.metadata.uid, index)
        behaviour = registry.of_injection(spec)
        hit: Hit
        if isinstance(behaviour, NetworkBehaviour):
            hit = NetworkHit(target, behaviour.effects(spec, name), node=self.node, pods=self.pods, clock=self.clock)
        else:
            hit = _PROCESS_HITS[type(spec.spec)](self, spec.spec, target, name)
        hit.record.message = behaviour.refusal_of(spec, target)
        return hit


def _kill(means: Means, fault: ContainerKill, target: InjectionTarget, _: str) -> Hit:
    return KillHit(target, fault, containers=means.containers, clock=means.clock)


def _freeze(means: Means, _: Freeze, target: InjectionTarget, name: str) -> Hit:
    return FreezeHit(target, name, containers=means.containers, frozen=means.frozen, clock=means.clock)


_PROCESS_HITS: dict[type[FaultKind], Callable[[Means, Any, InjectionTarget, str], Hit]] = {
    ContainerKill: _kill,
    Freeze: _freeze,
}
