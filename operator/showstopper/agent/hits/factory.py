"""Factory: makes the hits that an Injection asks for from what this node offers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Self

from showstopper.agent.at_most_once import AtMostOnce
from showstopper.agent.changes import Changes
from showstopper.agent.containers import Containers
from showstopper.agent.hits.network import NetworkHit
from showstopper.agent.hits.process import NodeAccess, hit_of
from showstopper.agent.network.node import Node
from showstopper.agent.pods import Pods
from showstopper.api.injection import Injection, InjectionTarget
from showstopper.clock import Clock
from showstopper.executor.hit import Hit
from showstopper.faults import registry
from showstopper.faults.network.behaviour import NetworkBehaviour, effect_name


@dataclass(frozen=True, slots=True)
class HitFactory:
    """What hits are made with on this node."""

    node: Node
    pods: Pods
    containers: Containers
    changes: Changes
    once: AtMostOnce
    clock: Clock

    @property
    def executor(self) -> str:
        """An agent's."""
        return "agent"

    def on(self, clock: Clock) -> Self:
        """The same, with the times of records by that clock."""
        return replace(self, clock=clock)

    def begun(self, injection: Injection) -> bool:
        """Whether it was begun before, and must not be again: what is done in an instant leaves nothing to sweep."""
        return injection.spec.spec.instant and self.once.begun(injection.metadata.uid)

    def left(self, injection: Injection) -> Mapping[str, str]:
        """The settings that could not be put back, by the target's UID. Networks are swept, or no agent starts."""
        names = {_name(injection, index): target.uid for index, target in enumerate(injection.spec.targets)}
        return {names[change.name]: change.setting.file for change in self.changes.left() if change.name in names}

    def begin(self, injection: Injection) -> None:
        """Write down, where it matters, that it is about to be armed."""
        if injection.spec.spec.instant:
            self.once.begin(injection.metadata.uid)

    def of(self, injection: Injection) -> list[Hit]:
        """One for each target, in their order. Those that must not be armed say why in their records."""
        return [self._hit(injection, index, target) for index, target in enumerate(injection.spec.targets)]

    def keep(self, uids: Collection[str]) -> None:
        """No other Injections exist: nobody will ask for those again."""
        self.once.keep(uids)

    def forget(self, uid: str) -> None:
        """The Injection with that UID no longer exists: nobody will ask for it again."""
        self.once.forget(uid)

    def _hit(self, injection: Injection, index: int, target: InjectionTarget) -> Hit:
        spec, name = injection.spec, _name(injection, index)
        behaviour = registry.of_injection(spec)
        hit: Hit
        if isinstance(behaviour, NetworkBehaviour):
            hit = NetworkHit(target, behaviour.effects(spec, name), node=self.node, pods=self.pods, clock=self.clock)
        else:
            hit = hit_of(type(spec.spec))(spec.spec, target, name, self._access)
        hit.record.message = behaviour.refusal_of(spec, target)
        return hit

    @property
    def _access(self) -> NodeAccess:
        return NodeAccess(self.containers, self.changes, self.clock)


def _name(injection: Injection, index: int) -> str:
    return effect_name(injection.spec.fault, injection.metadata.uid, index)
