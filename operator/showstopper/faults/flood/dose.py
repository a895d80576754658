"""The dose of a flood: the packets that arrived, against those that were declared. Pure.

What is compared is what arrived at each target, for that has been sent too. The gate's own counter goes with the pod's
network, which a kubelet takes down within a second of the flooder's end, and then lacks what the agent read last.
"""

import math

from showstopper.api.faults.flood import PacketFlood
from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.faults.observed import LEAST_SHARE, Observed

WHOLE = "Seconds"
"""How a flood ends that went on for all of its time (`audio.task.ending.EndReason`)."""


def missing(flood: PacketFlood, observed: Observed) -> Finding | None:
    """Why it was not the flood that was declared; None: it was. The last packet has been counted.

    As fast as one core can is no number, and the packets are only its bound. Where that was not reached, the flooder's
    own word is needed: it has to have gone on for all of its time, and its kernel to have taken most of what it sent.
    """
    wanted, seconds = _declared(flood, observed), _open_seconds(observed)
    short = _short(observed, wanted)
    if short is None or flood.rate is not None:
        return short
    if observed.seconds is not None and seconds is not None and seconds < LEAST_SHARE * observed.seconds:
        return None  # ended early, which its time in force tells: how many packets it would have sent is not known
    said = observed.flood
    if said is None or said.ended_by != WHOLE or said.refused > said.packets:
        return short
    return _short(observed, said.packets if _gone(observed) else observed.sent)


def _declared(flood: PacketFlood, observed: Observed) -> float:
    """How many packets were to be sent, to all targets, while the gate was open."""
    bound = flood.packets if flood.packets is not None else math.inf
    seconds = _open_seconds(observed)
    if flood.rate is None or seconds is None:
        return bound
    return min(bound, flood.rate * seconds)


def _open_seconds(observed: Observed) -> float | None:
    """For how long the flooder could send: as long as was declared, or until its gate was shut before that.

    A gate that is gone went with its flooder, which had ended: of its own budget, or of what should not have happened.
    """
    opened = [gate.lasted for gate in observed.gates if gate.lasted is not None]
    if _gone(observed) or not opened:
        return observed.seconds
    return max(opened) if observed.seconds is None else min(observed.seconds, max(opened))


def _gone(observed: Observed) -> bool:
    return any(gate.gone for gate in observed.gates)


def _short(observed: Observed, wanted: float) -> Finding | None:
    """Whether a target got less than its part of so many packets. One that went meanwhile is told of by its time.

    A flooder on a busy node catches up with a second of its schedule, and drops what is further behind.
    """
    if math.isinf(wanted):
        return None
    least = math.floor(LEAST_SHARE * wanted / len(observed.targets))
    starved = [target for target in observed.targets if not target.gone and target.affected < least]
    if not starved:
        return None
    sent = max(observed.sent, observed.affected)
    if sent < LEAST_SHARE * wanted:
        words = (
            f"sent {sent} of {wanted:.0f} packets; another flood than the declared one was tested: give its node more "
            "processor time, or write a lower rate or fewer packets"
        )
    else:
        arrived = ", ".join(f"{target.affected} at {target.pod}" for target in starved[:5])
        words = (
            f"sent {sent} packets, of which {least} or more should have arrived at each of {len(observed.targets)} "
            f"targets, and there arrived {arrived}: look at the network between them"
        )
    return Finding(Reason.WRONG_DOSE, words)
