"""Factory: makes the hits that an Injection asks for from what this node offers."""

from dataclasses import dataclass

from showstopper.agent.at_most_once import AtMostOnce
from showstopper.agent.containers import Containers
from showstopper.agent.frozen import FrozenCgroups
from showstopper.agent.hits.freeze import FreezeHit
from showstopper.agent.hits.hit import Hit
from showstopper.agent.hits.kill import KillHit
from showstopper.agent.hits.network import NetworkHit
from showstopper.agent.network.node import Node
from showstopper.agent.pods import Pods
from showstopper.api.injection import Injection, InjectionTarget
from showstopper.api.kinds import INSTANT_KINDS
from showstopper.clock import Clock
from showstopper.faults.injected import effect_name, effects, refusal_of


@dataclass(frozen=True, slots=True)
class HitFactory:
    """What hits are made with on this node."""

    node: Node
    pods: Pods
    containers: Containers
    frozen: FrozenCgroups
    once: AtMostOnce
    clock: Clock

    def begun(self, injection: Injection) -> bool:
        """Whether it was begun before, and must not be again: what is done in an instant leaves nothing to sweep."""
        return injection.spec.kind in INSTANT_KINDS and self.once.begun(injection.metadata.uid)

    def begin(self, injection: Injection) -> None:
        """Write down, where it matters, that it is about to be armed."""
        if injection.spec.kind in INSTANT_KINDS:
            self.once.begin(injection.metadata.uid)

    def hits(self, injection: Injection) -> list[Hit]:
        """One for each target, in their order; those that must not be armed say why in their records."""
        return [self._hit(injection, index, target) for index, target in enumerate(injection.spec.targets)]

    def _hit(self, injection: Injection, index: int, target: InjectionTarget) -> Hit:
        spec, containers, clock = injection.spec, self.containers, self.clock
        name = effect_name(spec.fault, injection.metadata.uid, index)
        if spec.container_kill is not None:
            return KillHit(target, spec.container_kill, containers=containers, clock=clock)
        if spec.freeze is not None:
            return FreezeHit(target, name, containers=containers, frozen=self.frozen, clock=clock)
        hit = NetworkHit(target, effects(spec, name), node=self.node, pods=self.pods, clock=clock)
        hit.record.message = refusal_of(spec, target)
        return hit
