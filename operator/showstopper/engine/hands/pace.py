"""Pace: how often a run looks, and how long it waits for others. One object, so that tests can be in a hurry."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """The intervals of a run, in seconds.

    Attributes:
        look: between two looks at faults that are being armed, last, or are lifted.
        poll: between two looks at the room after the fault.
        sample: between two samples of a source beside the listeners.
        note: how often figures that only grow are written into the record.
        renew: between two renewals of the run's Lease.
        arm: how long agents get to set everything up.
        lift: how long they get to take it down: the lease, and a little more.
        end: how long processes get to end after a signal that asks them to.
        silent: an active agent reports at every renewal. After a lease's length, and a little, its faults have expired.
        proof: how long a fault may take to be proven, where the recovery is shorter.
        feed: how long the last spans of a window are waited for. Feeds are pulled every second.
        room: how long a room that is still being made gets, from the moment its listeners report. Then the baseline
            tells.
        rollout: how long listeners get to come back after a rollout, to relays that have only just started. Longer than
            a client needs (5 to 30 s), shorter than what a run's deadline leaves by default (120 s).
    """

    look: float = 0.1
    poll: float = 0.2
    sample: float = 1.0
    note: float = 1.0
    renew: float = 2.0
    arm: float = 8.0
    lift: float = 15.0
    end: float = 15.0
    silent: float = 12.0
    proof: float = 15.0
    feed: float = 8.0
    room: float = 30.0
    rollout: float = 100.0


PACE = Pace()
"""The pace of an operator."""
