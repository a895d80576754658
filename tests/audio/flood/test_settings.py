from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.schema.shapes import Shape
from showstopper.audio.flood.settings import FlooderSettings
from showstopper.errors import SettingsError
from showstopper.faults.endpoint import Endpoint, Special
from showstopper.faults.flood import bounds, sending
from showstopper.faults.flood import settings as names
from showstopper.faults.flood.sending import Flood, SendPackets
from tests.audio.flood.build import GOOD, NOW


def read(**changes: str) -> FlooderSettings:
    return FlooderSettings.read(
        GOOD | {getattr(names, name): value for name, value in changes.items()}, NOW.timestamp()
    )


def test_what_is_read() -> None:
    settings = read()
    assert settings.targets == (Endpoint("198.18.210.2", 7882),)
    assert settings.flood == Flood(Shape.RTP, 172, 1000, 1, timedelta(seconds=5), 5000)
    assert settings.end == NOW.timestamp() + 30
    assert settings.report is None
    assert read(REPORT="/dev/termination-log").report == Path("/dev/termination-log")


def test_a_gate_is_waited_for_unless_there_is_none() -> None:
    assert read(GATE="7883").gate == 7883
    assert read(GATE="none").gate is None
    with pytest.raises(SettingsError, match='or "none" where there is none'):
        read(GATE="open")


def test_targets_of_both_kinds_each_once() -> None:
    settings = read(TARGETS="198.18.210.2:1, [fd00::5]:2,198.18.210.2:1", WITHIN="198.18.210.2,fd00::/16")
    assert settings.targets == (Endpoint("198.18.210.2", 1), Endpoint("fd00::5", 2))


def test_as_fast_as_possible_is_said_and_not_left_out() -> None:
    assert read(RATE="max").flood.rate is None
    with pytest.raises(SettingsError, match=names.RATE):
        read(RATE="")


@pytest.mark.parametrize("name", GOOD)
def test_whatever_bounds_a_flood_has_no_default(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        FlooderSettings.read({key: value for key, value in GOOD.items() if key != name}, NOW.timestamp())


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TARGETS", "relay:7882", "is no IP address; names are not looked up"),
        ("TARGETS", "198.18.210.2", "write address:port"),
        ("TARGETS", "fd00::5:7882", "write address:port"),
        ("TARGETS", "198.18.210.2:7882,", "write address:port"),
        ("TARGETS", "198.18.210.2:0", "0 is no port"),
        ("TARGETS", "198.18.210.2:70000", "70000 is no port"),
        ("TARGETS", "198.18.211.2:7882", "is not within SHOWSTOPPER_FLOOD_WITHIN"),
        ("TARGETS", ",".join(f"198.18.210.2:{port}" for port in range(1, 102)), "101 targets"),
        ("WITHIN", "198.18.210.1/24", "write addresses or CIDRs"),
        ("WITHIN", ",", "is not within"),
        ("SPECIAL", "loopback", "write one of Loopback, Multicast"),
        ("SHAPE", "rtp", "write one of Random, RTP, STUN"),
        ("SIZE", "1473", "from 1 to 1472"),
        ("SIZE", "11", "11 bytes do not fit RTP packets: write 12 to 1472"),
        ("RATE", "0", "from 1 to 5000000"),
        ("RATE", "1e3", "a whole number"),
        ("RATE", "\u0661\u0660", "a whole number"),
        ("SOURCES", "257", "from 1 to 256"),
        ("SECONDS", "601", "from 0.1 to 600"),
        ("SECONDS", "5s", "a number from"),
        ("SECONDS", "nan", "a number from"),
        ("PACKETS", "0", "from 1 to"),
        ("PACKETS", "9" * 5000, "from 1 to"),
        ("END", "tomorrow", "write a time like"),
        ("END", "2026-01-31T20:00:30", "write a time like"),
        ("END", "2026-01-31T21:00:01+00:00", "must come within 1:00:00"),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_write(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: value})
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "special"),
    [
        ("127.0.0.1", Special.LOOPBACK),
        ("[::1]", Special.LOOPBACK),
        ("[::ffff:127.0.0.1]", Special.LOOPBACK),
        ("224.0.0.1", Special.MULTICAST),
        ("[ff02::1]", Special.MULTICAST),
        ("255.255.255.255", Special.BROADCAST),
        ("169.254.169.254", Special.LINK_LOCAL),
    ],
)
def test_addresses_of_no_single_pod_are_refused_unless_told_by_their_kind(address: str, special: Special) -> None:
    everywhere = {"TARGETS": f"{address}:7882", "WITHIN": "0.0.0.0/0,::/0"}
    with pytest.raises(SettingsError, match="floods go to single pods only"):
        read(**everywhere)
    others = ",".join(kind for kind in Special if kind is not special)
    with pytest.raises(SettingsError, match="floods go to single pods only"):
        read(**everywhere, SPECIAL=others)
    assert len(read(**everywhere, SPECIAL=special).targets) == 1


@pytest.mark.parametrize("address", ["0.0.0.0", "0.1.2.3", "[::]"])
def test_nobodys_address_is_refused_whatever_is_told(address: str) -> None:
    with pytest.raises(SettingsError, match="nobody's address"):
        read(TARGETS=f"{address}:7882", WITHIN="0.0.0.0/0,::/0", SPECIAL=",".join(Special))


def test_an_end_that_has_passed_is_read() -> None:
    assert read(END=(NOW - timedelta(hours=1)).isoformat()).end < NOW.timestamp()


ADDRESSES = st.builds(lambda last: str(ip_address("198.18.0.0") + last), st.integers(1, 2**17 - 2))
FLOODS = st.builds(
    Flood,
    shape=st.just(Shape.RANDOM),
    size=st.integers(1, bounds.LARGEST),
    rate=st.none() | st.integers(1, bounds.FASTEST),
    sources=st.integers(1, bounds.MOST_SOURCES),
    duration=st.integers(100, 600_000).map(lambda each: timedelta(milliseconds=each)),
    packets=st.integers(1, bounds.MOST_PACKETS),
)
TARGETS = st.lists(
    st.builds(Endpoint, ADDRESSES | st.just("fd00::5"), st.integers(1, 65535)), min_size=1, max_size=5, unique=True
)


@given(spec=FLOODS, targets=TARGETS)
def test_the_flooder_reads_what_the_operator_wrote(spec: Flood, targets: list[Endpoint]) -> None:
    send = SendPackets(tuple(targets), spec, sending.budget(spec), NOW + timedelta(minutes=12))
    settings = FlooderSettings.read(names.environment(send), NOW.timestamp())
    assert (settings.targets, settings.flood, settings.packets) == (send.targets, spec, spec.packets)
    assert settings.end == send.end.timestamp()
