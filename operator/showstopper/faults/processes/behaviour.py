"""What all faults of processes have in common: they need a container that runs, and prove themselves by its figures."""

from collections.abc import Iterator
from typing import TypeVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.process import ProcessFault
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoomSpec
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import FaultContext, InjectedBehaviour
from showstopper.faults.containers import choose
from showstopper.faults.effects import Container, Pod
from showstopper.faults.observed import Observed, ObservedTarget, deserted, names

P = TypeVar("P", bound=ProcessFault)


class ProcessBehaviour(InjectedBehaviour[P]):
    """A fault of the processes of one container in each target. Proven when the agent has proven it on every one."""

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """Targets without the container, or in which it does not run."""
        for pod in context.targets:
            container = _choice(fault, context.room, pod)
            if isinstance(container, Finding):
                yield container
            elif not container.id:
                place = f"pod {pod.namespace}/{pod.name}"
                yield Finding(
                    Reason.CONTAINER_NOT_RUNNING,
                    f'container "{container.name}" of {place} does not run now, so that fault {fault.name} would hit '
                    f"nothing: look at it with kubectl --namespace {pod.namespace} describe pod {pod.name}",
                )

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: targets on which the processes did not do what they should."""
        if (nobody := deserted(observed)) is not None:
            return nobody
        if not (unproven := self.lacking(observed)):
            return None
        seen = Observed(observed.fault, unproven)
        words = self.figures(seen) if seen.processes else unproven[0].message or "nothing was seen of its processes"
        return Finding(Reason.NO_EFFECT, f"is not proven on {names(unproven)}: {words}")

    def lacking(self, observed: Observed) -> tuple[ObservedTarget, ...]:
        """The targets that lack a proof by the agent."""
        return observed.unproven


def container_of(fault: Fault, room: AudioRoomSpec, target: Pod) -> Container | None:
    """The container of a target that a fault means: the named one, else the component's; None: it is not known."""
    choice = _choice(fault, room, target)
    return None if isinstance(choice, Finding) else choice


def _choice(fault: Fault, room: AudioRoomSpec, target: Pod) -> Container | Finding:
    component = room.component(fault.component) if fault.component is not None else None
    choice = choose(
        f"{target.namespace}/{target.name}",
        [container.name for container in target.containers],
        named=fault.spec.container_name or (component.container if component else None),
        by=f" (fault {fault.name})",
        default=target.default_container,
    )
    if isinstance(choice, Finding):
        return choice
    return next(container for container in target.containers if container.name == choice)
