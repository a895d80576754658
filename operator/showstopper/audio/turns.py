"""Turns: when the newcomers of a pod are due. Pods of one fleet take turns on the wall clock.

A pod may start at any time, and again. Counted from its own start, the turns of two pods may fall together: nobody
comes for twice the interval that the room declares, and a window of that length has no call to measure by.
"""

import time


def first(every: float, phase: float) -> float:
    """When the first newcomer of a pod is due (monotonic).

    Args:
        every: seconds between two newcomers of this pod.
        phase: where in these seconds they come, told apart from those of other pods.
    """
    return time.monotonic() + (phase - time.time()) % every


def following(due: float, every: float) -> float:
    """When the next one is due. After a stall those that were missed are skipped, not sent all at once."""
    missed = max(0.0, time.monotonic() - due) // every
    return due + every * (1 + missed)
