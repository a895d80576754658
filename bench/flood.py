"""How much one core can flood, beside trafgen and hping3 on the same path, and how well a paced flood keeps its rate.

Everything that is counted is counted at a socket at the far end of a wire of our own (two network namespaces and a veth
pair), so that packets that were never delivered make no figure. Each sender is bound to one core, on which the kernel
also receives what it sends. Generators take turns, round by round. Figures are medians of the rounds.
Writes build/bench/flood.json. Needs root.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench import report
from bench.generators import HPING, OURS, PORT, TRAFGEN, Course, Generator
from bench.wire import Receiver, wire
from dev.cluster import endings, packages, progress
from dev.cluster.packages import Need

NEEDS = (Need("trafgen", "netsniff-ng"), Need("hping3", "hping3"), Need("taskset", "util-linux"))
SMALL, LARGE = 172, 1200
PACES = (1_000, 20_000, 100_000)
_GIGA = 1e9

GENERATORS = tuple(Generator(name, size) for size in (SMALL, LARGE) for name in (OURS, TRAFGEN, HPING))


def measure(rounds: int, seconds: float, pause: float) -> tuple[dict[Generator, list[float]], dict[int, list[float]]]:
    """Packets a second of every generator and errors of every pace, one of each a round."""
    speeds: dict[Generator, list[float]] = {generator: [] for generator in GENERATORS}
    paces: dict[int, list[float]] = {rate: [] for rate in PACES}
    with wire() as line, tempfile.TemporaryDirectory() as folder:
        course = Course(line, Receiver(line, PORT), Path(folder), seconds)
        for number in range(1, rounds + 1):
            with progress.step(f"Round {number} of {rounds}"):
                for generator, rates in speeds.items():
                    rates.append(course.fastest(generator))
                for rate, errors_found in paces.items():
                    errors_found.append(course.paced(SMALL, rate))
            time.sleep(pause if number < rounds else 0)
    return speeds, paces


def figures(speeds: dict[Generator, list[float]], paces: dict[int, list[float]]) -> dict[str, report.Figure]:
    """The medians, and the worst that any paced flood was off."""
    small, large = (median(speeds[Generator(OURS, size)]) for size in (SMALL, LARGE))
    return {
        "pps_172_per_core": round(small),
        "gbit_1200_per_core": round(gigabits(LARGE, large), 2),
        "ratio_to_trafgen": round(small / median(speeds[Generator(TRAFGEN, SMALL)]), 2),
        "ratio_to_hping3": round(small / median(speeds[Generator(HPING, SMALL)]), 2),
        "ratio_to_trafgen_1200": round(large / median(speeds[Generator(TRAFGEN, LARGE)]), 2),
        "paced_error_percent": round(max(abs(each) for errors in paces.values() for each in errors) * 100, 3),
    }


def gigabits(size: int, packets_per_second: float) -> float:
    """Gbit/s of UDP payload."""
    return packets_per_second * size * 8 / _GIGA


def show(speeds: dict[Generator, list[float]], paces: dict[int, list[float]]) -> None:
    """The tables for people."""
    report.table(
        "Packets of one core that arrive",
        ("generator", "bytes", "packets/s, median", "best", "Gbit/s", "ours is so many times as fast"),
        (
            (
                generator.name,
                generator.size,
                round(median(rates)),
                round(max(rates)),
                gigabits(generator.size, median(rates)),
                median(speeds[Generator(OURS, generator.size)]) / median(rates),
            )
            for generator, rates in speeds.items()
        ),
    )
    report.table(
        "Paced floods",
        ("packets/s asked", "worst error in %"),
        ((rate, max(map(abs, errors)) * 100) for rate, errors in paces.items()),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of `make bench-flood`."""
    parser = argparse.ArgumentParser(prog="bench.flood", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    parser.add_argument("--pause", type=float, default=5.0, help="between rounds, in seconds")
    chosen = parser.parse_args(arguments)
    packages.ensure(NEEDS)
    speeds, paces = measure(chosen.rounds, chosen.seconds, chosen.pause)
    show(speeds, paces)
    report.write("flood", figures(speeds, paces))


if __name__ == "__main__":
    sys.exit(endings.run(main))
