from datetime import timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.schema.shapes import Shape
from showstopper.audio.flood.settings import FlooderSettings
from showstopper.errors import SettingsError
from showstopper.faults.endpoint import Endpoint
from showstopper.faults.flood import bounds, sending
from showstopper.faults.flood import settings as names
from showstopper.faults.flood.sending import Flood, SendPackets
from showstopper.faults.task import GATE_PORT
from tests.audio.flood.build import GOOD, NOW


def read(**changes: str) -> FlooderSettings:
    return FlooderSettings.read(
        GOOD | {getattr(names, name): value for name, value in changes.items()}, NOW.timestamp()
    )


def test_what_is_read() -> None:
    settings = read()
    assert settings.task.targets == (Endpoint("198.18.210.2", 7882),)
    assert settings.flood == Flood(Shape.RTP, 172, 1000, 1, timedelta(seconds=5), 5000)
    assert settings.packets == 5000


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
    ],
)
def test_a_wrong_value_is_refused_with_what_to_write(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: value})
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


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
    assert (settings.task.targets, settings.flood, settings.packets) == (send.targets, spec, spec.packets)
    assert (settings.task.end, settings.task.gate) == (send.end.timestamp(), GATE_PORT)
