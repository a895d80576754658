"""Faults of whole pods, executed through the API server."""

from showstopper.api.experiment import Fault, PodKill
from showstopper.faults.effects import DeletePod, Effect, Hand, MediaFromStops, Pod, PodGone


def pod_kill(spec: PodKill, target: Pod) -> Effect:
    """Delete the pod by UID, as a crash would with grace 0. Proven when it is gone and its media stops at listeners.

    With a grace period of zero the API server answers about two seconds before the process dies
    (notes/relay-failures.md), so that the deletion alone proves nothing.
    """
    return Effect(
        hand=Hand.API_SERVER,
        target=target,
        start=DeletePod(target, spec.grace_period),
        proof=(PodGone(target.uid), MediaFromStops(target.address)),
    )


def effect_of(fault: Fault, target: Pod) -> Effect:
    """The effect that a declared fault has on one target."""
    assert fault.pod_kill is not None, "the model allows exactly one kind"
    return pod_kill(fault.pod_kill, target)
