"""Clocks: whether the times of a run are of one clock, by what the clocks of listeners show. Pure."""

from collections.abc import Mapping

from showstopper.api.run import ClockWitness, ExperimentRun

MOST_WITNESSES = 3

STEP_SECONDS = 0.25
"""A difference that edges of 20 ms and readings of some milliseconds do not explain."""

SLEW = 500e-6
"""How fast NTP may slew the clock of a node (adjtimex, MAXFREQ)."""

Offsets = Mapping[str, tuple[float, float]]
"""By boot of a listener's process: what to add to its clock to have the operator's, and how wrong that may be."""


def witnesses(offsets: Offsets) -> list[ClockWitness]:
    """The clocks that are known best."""
    best = sorted(offsets, key=lambda boot: offsets[boot][1])[:MOST_WITNESSES]
    return [ClockWitness(boot=boot, offset=offsets[boot][0], uncertainty=max(0.0, offsets[boot][1])) for boot in best]


def moved(run: ExperimentRun, offsets: Offsets, elapsed: float) -> float | None:
    """By how many seconds the operator's clock has certainly moved against a witness. None: it has not.

    It may be another operator's, on another node, which went on with the run.

    Args:
        run: with the witnesses of its begin.
        offsets: as they are now.
        elapsed: seconds since its begin.
    """
    for witness in run.status.clock_witnesses:
        offset, uncertainty = offsets.get(witness.boot, (witness.offset, 0.0))
        by = offset - witness.offset
        if abs(by) > STEP_SECONDS + witness.uncertainty + uncertainty + SLEW * abs(elapsed):
            return by
    return None
