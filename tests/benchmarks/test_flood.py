import pytest

from bench import flood, generators
from bench.flood import GENERATORS, LARGE, SMALL
from bench.generators import HPING, OURS, TRAFGEN, Generator
from bench.wire import Wire

SPEEDS = {generator: [1000.0, 3000.0, 2000.0] for generator in GENERATORS} | {
    Generator(OURS, SMALL): [1_000_000.0, 2_000_000.0, 1_500_000.0],
    Generator(TRAFGEN, SMALL): [500_000.0, 500_000.0, 100.0],
    Generator(OURS, LARGE): [1_000_000.0, 1_100_000.0, 9.0],
}


def test_figures_are_medians_and_the_worst_pace() -> None:
    results = flood.figures(SPEEDS, {1000: [0.001, -0.0125], 100_000: [0.0, 0.002]})
    assert results == {
        "pps_172_per_core": 1_500_000,
        "gbit_1200_per_core": 9.6,
        "ratio_to_trafgen": 3.0,
        "ratio_to_hping3": 750.0,
        "ratio_to_trafgen_1200": 500.0,
        "paced_error_percent": 1.25,
    }


def test_every_generator_sends_packets_of_both_sizes() -> None:
    assert {(each.name, each.size) for each in GENERATORS} == {
        (name, size) for name in (OURS, TRAFGEN, HPING) for size in (172, 1200)
    }


def test_gigabits_are_of_payload() -> None:
    assert flood.gigabits(1200, 1_000_000) == pytest.approx(9.6)


def test_trafgens_packet_goes_from_one_end_of_the_wire_to_the_other() -> None:
    packet = generators.trafgen_packet(Wire("near", "far", "198.18.210.1", "198.18.210.2"), 172)
    assert "saddr=198.18.210.1, daddr=198.18.210.2" in packet
    assert f"dport={generators.PORT}" in packet
    assert packet.count("fill(0x42, 172)") == 1
