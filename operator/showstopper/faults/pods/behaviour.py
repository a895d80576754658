"""What all faults of whole pods have in common: the operator carries them out itself, through the API server."""

from abc import abstractmethod

from showstopper.api.faults.base import FaultKind
from showstopper.faults import registry
from showstopper.faults.behaviour import Behaviour, K
from showstopper.faults.effects import DeletePod, Pod


class ApiServerBehaviour(Behaviour[K]):
    """A fault that the operator carries out itself, by one call for each target."""

    @abstractmethod
    def effect(self, spec: K, target: Pod) -> DeletePod:
        """What is to be done to one target."""


def effect_of(spec: FaultKind, target: Pod) -> DeletePod:
    """What the operator does to one target.

    Raises:
        TypeError: the fault is carried out by somebody else, which is a defect.
    """
    behaviour = registry.of(spec)
    if not isinstance(behaviour, ApiServerBehaviour):
        raise TypeError(f"{type(spec).__name__} is carried out by {spec.hand}, and not by the operator")
    return behaviour.effect(spec, target)
