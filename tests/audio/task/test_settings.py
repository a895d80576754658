"""What every task is told, read: what is wrong is refused by its name, whatever its kind calls it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from showstopper.audio.task.settings import TaskSettings
from showstopper.audio.task.variables import Variables
from showstopper.errors import SettingsError
from showstopper.faults.endpoint import Endpoint, SpecialAddress
from showstopper.faults.task import Names

NOW = datetime(2026, 1, 31, 20, 0, tzinfo=UTC)
NAMES = Names(
    targets="SHOWSTOPPER_TASK_TARGETS",
    within="SHOWSTOPPER_TASK_WITHIN",
    special="SHOWSTOPPER_TASK_SPECIAL",
    end="SHOWSTOPPER_TASK_END",
    report="SHOWSTOPPER_TASK_REPORT",
    gate="SHOWSTOPPER_TASK_GATE",
)
GOOD = {
    NAMES.targets: "198.18.210.2:7882",
    NAMES.within: "198.18.210.0/24",
    NAMES.end: (NOW + timedelta(seconds=30)).isoformat(),
    NAMES.gate: "none",
}


def read(**changes: str) -> TaskSettings:
    told = GOOD | {getattr(NAMES, name.lower()): value for name, value in changes.items()}
    return TaskSettings.read(Variables(told), NAMES, NOW.timestamp())


def test_what_is_read() -> None:
    settings = read()
    assert settings.targets == (Endpoint("198.18.210.2", 7882),)
    assert settings.end == NOW.timestamp() + 30
    assert (settings.special, settings.report) == (frozenset(), None)
    assert read(REPORT="/dev/termination-log").report == Path("/dev/termination-log")


@pytest.mark.parametrize("name", GOOD)
def test_whatever_bounds_a_task_has_no_default(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        TaskSettings.read(Variables({key: value for key, value in GOOD.items() if key != name}), NAMES, NOW.timestamp())


def test_a_gate_is_waited_for_unless_there_is_none() -> None:
    assert read(GATE="7883").gate == 7883
    assert read(GATE="none").gate is None
    with pytest.raises(SettingsError, match='or "none" where there is none'):
        read(GATE="open")


def test_targets_of_both_kinds_each_once() -> None:
    settings = read(TARGETS="198.18.210.2:1, [fd00::5]:2,198.18.210.2:1", WITHIN="198.18.210.2,fd00::/16")
    assert settings.targets == (Endpoint("198.18.210.2", 1), Endpoint("fd00::5", 2))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TARGETS", "relay:7882", "is no IP address; names are not looked up"),
        ("TARGETS", "198.18.210.2", "write address:port"),
        ("TARGETS", "fd00::5:7882", "write address:port"),
        ("TARGETS", "198.18.210.2:7882,", "write address:port"),
        ("TARGETS", "198.18.210.2:0", "0 is no port"),
        ("TARGETS", "198.18.210.2:70000", "70000 is no port"),
        ("TARGETS", "198.18.211.2:7882", "is not within SHOWSTOPPER_TASK_WITHIN"),
        ("TARGETS", ",".join(f"198.18.210.2:{port}" for port in range(1, 102)), "101 targets"),
        ("WITHIN", "198.18.210.1/24", "write addresses or CIDRs"),
        ("WITHIN", ",", "is not within"),
        ("SPECIAL", "loopback", "write one of Loopback, Multicast"),
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
        ("127.0.0.1", SpecialAddress.LOOPBACK),
        ("[::1]", SpecialAddress.LOOPBACK),
        ("[::ffff:127.0.0.1]", SpecialAddress.LOOPBACK),
        ("224.0.0.1", SpecialAddress.MULTICAST),
        ("[ff02::1]", SpecialAddress.MULTICAST),
        ("255.255.255.255", SpecialAddress.BROADCAST),
        ("169.254.169.254", SpecialAddress.LINK_LOCAL),
    ],
)
def test_addresses_of_no_single_pod_are_refused_unless_told_by_their_kind(
    address: str, special: SpecialAddress
) -> None:
    everywhere = {"TARGETS": f"{address}:7882", "WITHIN": "0.0.0.0/0,::/0"}
    with pytest.raises(SettingsError, match="floods go to single pods only"):
        read(**everywhere)
    others = ",".join(kind for kind in SpecialAddress if kind is not special)
    with pytest.raises(SettingsError, match="floods go to single pods only"):
        read(**everywhere, SPECIAL=others)
    assert len(read(**everywhere, SPECIAL=special).targets) == 1


@pytest.mark.parametrize("address", ["0.0.0.0", "0.1.2.3", "[::]"])
def test_nobodys_address_is_refused_whatever_is_told(address: str) -> None:
    with pytest.raises(SettingsError, match="nobody's address"):
        read(TARGETS=f"{address}:7882", WITHIN="0.0.0.0/0,::/0", SPECIAL=",".join(SpecialAddress))


def test_an_end_that_has_passed_is_read() -> None:
    assert read(END=(NOW - timedelta(hours=1)).isoformat()).end < NOW.timestamp()
