"""Records of targets: the state and the packet counts of one target, as its Injection's status will have them."""

from showstopper.api.injection import InjectedTarget, PacketCounts, TargetState


def set_state(target: InjectedTarget, state: TargetState, message: str | None = None) -> None:
    """Record how far the agent is with a target, with a message for people (cut to 1024 characters).

    A target on which something was left behind stays in that state, also when its pod goes, or when the rest of it was
    refused. Its run must not take the fault for reverted: what is left may be on the node, and outlive the pod.
    """
    if target.state is not TargetState.LEFT_OVER:
        target.state = state
    target.message = message[:1024] if message else None


def record_counts(target: InjectedTarget, counts: PacketCounts) -> bool:
    """Record the packet counters of a target. Returns whether its first packet has just been matched."""
    target.last = counts
    target.proven = counts.affected > 0 and counts.media != 0
    if target.first is not None or not counts.matched:
        return False
    target.first = target.last
    return True
