"""Quality: what transport and player counted in a room, in rows of two seconds that all begin together."""

import random

import numpy as np

from bench.rooms.room import GRID, ROW, Figures, Room, Rows
from showstopper.availability.statistics import PACKETS_PER_SECOND, SAMPLES_PER_SECOND


def rows(rng: random.Random, room: Room) -> Rows:
    """Rows in which some residents, for some of the time, have more lost, made up, uneven and late."""
    size, number = len(room.deaf), room.times.known // ROW
    chance = np.random.default_rng(rng.randrange(2**32))
    heard = 1.0 - room.deaf[:, : number * ROW].reshape(size, number, ROW).mean(axis=2)
    first = rng.randrange(number)
    bad = np.zeros((size, number), dtype=np.bool_)
    bad[: rng.randint(0, size), first : first + rng.randrange(number)] = True

    def figure(well: float, ill: float) -> Figures:
        most = np.where(bad, rng.uniform(well, ill), well)
        return most * chance.random((size, number))

    expected = np.round(heard * PACKETS_PER_SECOND * ROW * GRID)
    samples = np.round(heard * SAMPLES_PER_SECOND * ROW * GRID)
    told = np.ones((size, number), dtype=np.bool_)
    for index, (died, _, back) in room.later.items():
        told[index, died // ROW : -(-back // ROW)] = False
    return Rows(
        expected=expected,
        lost=np.round(expected * figure(0.02, 0.6)),
        samples=samples,
        concealed=np.round(samples * figure(0.01, 0.4)),
        jitter=np.where(heard > 0, figure(0.005, 0.08), np.nan),
        delay=np.where(heard > 0, 0.1 + figure(0.02, 0.5), np.nan),
        told=told,
    )
