"""The settings of a door's pod."""

import pytest

from showstopper.audio.door.settings import DoorSettings
from showstopper.audio.settings import Identity
from showstopper.errors import SettingsError

POD = {
    "SHOWSTOPPER_POD": "door-0",
    "SHOWSTOPPER_DOOR_ROOMS": "stage, second",
    "SHOWSTOPPER_DOOR_PEERS": "http://door-0.doors:8090,http://door-1.doors:8090",
    "LIVEKIT_URL": "ws://relay:7880",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "hush",
}


def test_a_door_knows_its_rooms_and_the_other_replicas() -> None:
    settings = DoorSettings.read(POD)
    assert settings.rooms == ("stage", "second")
    assert len(settings.peers) == 2
    assert settings.api_url == settings.url == "ws://relay:7880"
    assert settings.identity is None
    assert "hush" not in repr(settings)


def test_it_knows_the_pod_that_it_is_in() -> None:
    pod = {"SHOWSTOPPER_POD_UID": "5c0ffee0-3", "SHOWSTOPPER_NAMESPACE": "show"}
    assert DoorSettings.read(POD | pod).identity == Identity("show", "door-0", "5c0ffee0-3")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SHOWSTOPPER_DOOR_ROOMS", " , ", "names no room"),
        ("SHOWSTOPPER_DOOR_ROOMS", "", "SHOWSTOPPER_DOOR_ROOMS is not set"),
        ("LIVEKIT_URL", "http://relay:7880", "must begin with ws"),
        ("SHOWSTOPPER_DOOR_BURST", "0", "a number from 1"),
        ("SHOWSTOPPER_POD", "", "SHOWSTOPPER_POD is not set"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        DoorSettings.read(POD | {name: value})
