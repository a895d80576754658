import pytest

from showstopper.audio.settings import ArrivalSettings, CrowdSettings, HostSettings, ListenerSettings
from showstopper.errors import SettingsError

ROOM = {
    "SHOWSTOPPER_ROOM": "main-stage",
    "LIVEKIT_URL": "ws://relay:7880",
    "LIVEKIT_ROOM": "stage",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "hush",
}
POD = ROOM | {"SHOWSTOPPER_POD": "main-stage-listeners-2", "SHOWSTOPPER_LISTENERS": "3"}


def test_a_pod_knows_its_residents_by_its_ordinal() -> None:
    settings = ListenerSettings.read(POD)
    assert (settings.first, settings.residents) == (6, 3)
    assert ListenerSettings.read(POD | {"SHOWSTOPPER_FIRST": "4"}).first == 4


@pytest.mark.parametrize(("count", "residents"), [("9", 3), ("8", 2), ("7", 1), ("6", 0), ("2", 0)])
def test_the_last_pod_holds_what_is_left_of_the_fleet(count: str, residents: int) -> None:
    assert ListenerSettings.read(POD | {"SHOWSTOPPER_COUNT": count}).residents == residents


def test_arrivals_are_off_unless_asked_for() -> None:
    assert ListenerSettings.read(POD).arrival_every == 0
    settings = ListenerSettings.read(
        POD | {"SHOWSTOPPER_ARRIVAL_EVERY": "10", "SHOWSTOPPER_ARRIVAL_STAY": "15.5", "SHOWSTOPPER_ARRIVAL_PHASE": "5"}
    )
    assert (settings.arrival_every, settings.arrival_stay, settings.arrival_phase) == (10, 15.5, 5)


def test_pods_of_one_fleet_take_turns_with_their_arrivals() -> None:
    step = {"SHOWSTOPPER_ARRIVAL_EVERY": "15", "SHOWSTOPPER_ARRIVAL_STEP": "5", "SHOWSTOPPER_ARRIVAL_PHASE": "1"}
    assert ListenerSettings.read(POD | step).arrival_phase == 11


def test_the_host_holds_for_three_seconds_unless_told_otherwise() -> None:
    assert HostSettings.read(ROOM).hold_seconds == 3
    assert HostSettings.read(ROOM | {"SHOWSTOPPER_HOLD_SECONDS": "0"}).hold_seconds == 0


def test_listeners_sign_their_own_tokens_unless_there_is_a_door() -> None:
    assert not ListenerSettings.read(POD).room.door
    assert ListenerSettings.read(POD | {"SHOWSTOPPER_DOOR": "https://door/token"}).room.door == "https://door/token"
    with pytest.raises(SettingsError, match="SHOWSTOPPER_DOOR is 'door:8090'"):
        ListenerSettings.read(POD | {"SHOWSTOPPER_DOOR": "door:8090"})


CROWD = ROOM | {"SHOWSTOPPER_POD": "main-stage-crowd-1", "SHOWSTOPPER_LISTENERS": "1000"}


def test_a_crowd_pod_holds_its_part_of_the_crowd() -> None:
    settings = CrowdSettings.read(CROWD | {"SHOWSTOPPER_COUNT": "1200"})
    assert (settings.pod, settings.first, settings.size) == ("main-stage-crowd-1", 1000, 200)
    assert settings.hidden
    assert not CrowdSettings.read(CROWD | {"SHOWSTOPPER_HIDDEN": "false"}).hidden


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SHOWSTOPPER_LISTENERS", "0", "a whole number from 1 to 3000"),
        ("SHOWSTOPPER_LISTENERS", "3001", "a whole number from 1 to 3000"),
        ("SHOWSTOPPER_COUNT", "1000", "leaves nobody for main-stage-crowd-1"),
        ("SHOWSTOPPER_HIDDEN", "yes", "true or false"),
        ("SHOWSTOPPER_PROGRAM", "managed", "Managed or External"),
        ("SHOWSTOPPER_PROGRAM", "External", "cannot tell an external host's pauses from dead air yet"),
    ],
)
def test_a_crowd_that_cannot_be_is_refused(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        CrowdSettings.read(CROWD | {name: value})
    assert name in str(refused.value)


COMING = {"SHOWSTOPPER_ARRIVAL_EVERY": "10", "SHOWSTOPPER_ARRIVAL_STEP": "2", "SHOWSTOPPER_ARRIVAL_STAY": "15"}


def test_newcomers_of_a_crowd_come_where_they_are_asked_for_and_pods_take_turns() -> None:
    assert CrowdSettings.read(CROWD).arrivals is None
    assert CrowdSettings.read(CROWD | COMING).arrivals == ArrivalSettings(every=10, stay=15, phase=2)


def test_the_place_of_a_newcomer_is_taken_until_what_it_heard_is_settled() -> None:
    assert ArrivalSettings(every=10, stay=15).places == 3
    assert ArrivalSettings(every=0.1, stay=5).places == 151


@pytest.mark.parametrize(
    ("listeners", "change"),
    [("1000", {"SHOWSTOPPER_ARRIVAL_EVERY": "0.01"}), ("3000", {})],
    ids=["more than a pod holds", "a pod that is full"],
)
def test_newcomers_whom_a_pod_does_not_hold_are_refused(listeners: str, change: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="a pod holds 1000, and 3000 of both"):
        CrowdSettings.read(CROWD | COMING | {"SHOWSTOPPER_LISTENERS": listeners} | change)


@pytest.mark.parametrize("name", ROOM)
def test_what_is_not_set_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        HostSettings.read({key: value for key, value in ROOM.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LIVEKIT_URL", "relay:7880", "must begin with ws://"),
        ("SHOWSTOPPER_LISTENERS", "", "is not set"),
        ("SHOWSTOPPER_LISTENERS", "three", "a whole number from 0 to 1000"),
        ("SHOWSTOPPER_LISTENERS", "-1", "a whole number from 0 to 1000"),
        ("SHOWSTOPPER_LISTENERS", "2.5", "a whole number"),
        ("SHOWSTOPPER_ARRIVAL_EVERY", "5s", "a number from 0"),
        ("SHOWSTOPPER_ARRIVAL_EVERY", "nan", "a number from 0"),
        ("SHOWSTOPPER_ARRIVAL_STAY", "0", "a number from 1"),
        ("SHOWSTOPPER_PROGRAM", "managed", "Managed or External"),
        ("SHOWSTOPPER_POD", " ", "is not set"),
        ("SHOWSTOPPER_PORT", "70000", "from 0 to 65535"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_to_write(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        ListenerSettings.read(POD | {name: value})
    assert name in str(refused.value)


def test_the_secret_is_not_printed() -> None:
    assert "hush" not in repr(ListenerSettings.read(POD))
