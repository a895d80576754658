"""Asking: what is expected of a room, with bounds at random: often close to the truth, and never so close that the
grid decides.
"""

import math
import random

from bench.rooms import truth
from bench.rooms.room import Asked, Room
from showstopper.availability.indicators.arriving import ARRIVAL_AUDIBLE, JOIN_SUCCESS, TIME_TO_FIRST_AUDIO
from showstopper.availability.indicators.concealed_ratio import CONCEALED_RATIO
from showstopper.availability.indicators.indicator import Better, Indicator
from showstopper.availability.indicators.jitter import JITTER
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR, OUTAGE_COUNT, RECONNECTS
from showstopper.availability.indicators.mouth_to_ear import MOUTH_TO_EAR
from showstopper.availability.indicators.packet_loss import PACKET_LOSS
from showstopper.availability.indicators.recovery import RECOVERY_TIME
from showstopper.availability.indicators.start_delay import START_DELAY

COUNTS = (OUTAGE_COUNT, RECONNECTS)
SHARES = (AUDIBLE_RATIO, JOIN_SUCCESS, ARRIVAL_AUDIBLE)
SECONDS = (LONGEST_DEAD_AIR, RECOVERY_TIME, START_DELAY)
QUALITY = (CONCEALED_RATIO, PACKET_LOSS, JITTER, MOUTH_TO_EAR)

WEIGHTS = {
    **dict.fromkeys((*COUNTS, *SHARES, *SECONDS), 4),
    **dict.fromkeys((*QUALITY, TIME_TO_FIRST_AUDIO), 1),
    RECOVERY_TIME: 8,
    START_DELAY: 1,
}
"""RecoveryTime has the most that can go wrong."""


def indicators(rng: random.Random) -> list[Indicator]:
    """One to four of them."""
    drawn = rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=rng.choice([1, 1, 2, 3, 4]))
    return list(dict.fromkeys(drawn))


def asked(rng: random.Random, room: Room, indicator: Indicator) -> Asked:
    """An expectation of that indicator: mostly that it is good, sometimes that the fault spoils it."""
    least = (indicator.better is Better.HIGHER) is (rng.random() < 0.9)
    return Asked(indicator, _bound(rng, indicator, truth.figure(room, indicator)), least)


def _bound(rng: random.Random, indicator: Indicator, true: float) -> float:
    if indicator in COUNTS:
        return float(max(0, round(true) + rng.choice([-3, -1, 0, 1, 3, 50]))) + 0.5 * (rng.random() < 0.1)
    usual, step, near = _scale(indicator)
    bound = rng.choice([*usual, true + step, true - step])
    if not math.isfinite(bound):
        bound = usual[-1]
    if abs(bound - true) < near:
        bound = true + 2 * near
    return max(0.0, min(bound, 1.0)) if indicator.unit.most == 1.0 else max(0.0, bound)


def _scale(indicator: Indicator) -> tuple[tuple[float, ...], float, float]:
    """Bounds that people write, how far others are from the truth, and how near to it none may be."""
    if indicator in SHARES:
        return (0.5, 0.7, 0.9, 0.95), 0.02, 0.0005
    if indicator in SECONDS:
        return (5.0, 10.0, 20.0, 25.0), 0.5, 0.05
    if indicator is TIME_TO_FIRST_AUDIO:
        return (1.5, 3.0, 4.5), 0.1, 0.01
    if indicator in (JITTER, MOUTH_TO_EAR):
        return (0.03, 0.2, 0.4), 0.002, 1e-4
    return (0.01, 0.07, 0.1), 0.005, 1e-4
