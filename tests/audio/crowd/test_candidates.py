import json

import pytest

from showstopper.audio.crowd import candidates


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("candidate:1 1 udp 2130706431 10.0.3.7 50017 typ host", ("10.0.3.7", 50017)),
        ("1 1 UDP 2130706431 10.0.3.7 50017 typ host generation 0", ("10.0.3.7", 50017)),
        ("candidate:1 1 udp 1 fd00:0::5 7882 typ host", ("fd00::5", 7882)),
        ("candidate:1 1 tcp 1671430143 10.0.3.7 7881 typ host tcptype passive", None),
        ("candidate:1 1 udp 1 3e7b.local 7882 typ host", None),
        ("candidate:1 1 udp 1 10.0.3.7 0 typ host", None),
        ("candidate:1 1 udp 1 10.0.3.7 65536 typ host", None),
        ("candidate:1 1 udp 1 10.0.3.7 \u0665 typ host", None),
        ("", None),
    ],
)
def test_the_address_of_a_candidate_over_udp(line: str, address: tuple[str, int] | None) -> None:
    assert candidates.read(line) == address


def test_a_trickled_candidate_is_json_around_the_line() -> None:
    ours = candidates.trickle(("10.0.3.7", 50017), "0")
    assert json.loads(ours)["sdpMid"] == "0"
    assert candidates.read_trickled(ours) == ("10.0.3.7", 50017)
    for nonsense in ("", "[]", '{"candidate": 5}', "{", "[" * 4000):
        assert candidates.read_trickled(nonsense) is None


def test_versions_of_ip() -> None:
    assert candidates.version(("10.0.3.7", 1)) == 4
    assert candidates.version(("fd00::5", 1)) == 6
