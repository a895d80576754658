"""Roster: listener pods by room, through changes in any order."""

from typing import Any

from showstopper.cluster.listeners import ROOM_LABEL
from showstopper.engine.rooms.fleet.names import FLEET_ANNOTATION
from showstopper.engine.rooms.listening.roster import Roster, read, trouble
from tests.engine.rooms.build import pod

KEY = ("show", "main-stage")


def listener(uid: str = "1", **more: Any) -> dict[str, Any]:
    found = pod("main-stage-listeners-0", labels={ROOM_LABEL: "main-stage"}, **more)
    found["metadata"]["uid"] = uid
    return found


def test_a_pod_is_kept_under_its_room_until_it_is_deleted() -> None:
    roster = Roster()
    roster.changed("ADDED", listener())
    assert [one.address for one in roster.pods(*KEY).values()] == ["198.18.1.7"]
    assert not roster.pods("show", "another")
    assert not roster.pods("other", "main-stage")
    roster.changed("DELETED", listener())
    assert not roster.pods(*KEY)


def test_the_old_pods_late_deletion_does_not_take_the_new_one_of_the_same_name() -> None:
    roster = Roster()
    roster.changed("ADDED", listener("1"))
    roster.changed("ADDED", listener("2", address="198.18.1.8"))
    roster.changed("DELETED", listener("1"))
    assert [one.address for one in roster.pods(*KEY).values()] == ["198.18.1.8"]


def test_a_pod_tells_the_fleets_version_that_it_is_of() -> None:
    found = listener()
    found["metadata"]["annotations"] = {FLEET_ANNOTATION: "abc"}
    assert read(found).version == "abc"
    assert read(listener()).version == ""


def test_a_pod_without_an_address_yet_has_none() -> None:
    assert read({"metadata": {"name": "a", "namespace": "show", "uid": "1"}}).address is None


def test_what_keeps_a_pod_from_running_is_told_in_the_kubelets_words() -> None:
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "livekit-keys" not found'}
    status = {"containerStatuses": [{"state": {"waiting": waiting}}]}
    assert trouble(status) == 'CreateContainerConfigError: secret "livekit-keys" not found'


def test_a_pod_that_finds_no_node_is_told_in_the_schedulers_words() -> None:
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes"}
    assert trouble({"conditions": [unschedulable]}) == "Unschedulable: 0/2 nodes"


def test_a_pod_that_is_just_being_made_is_no_trouble() -> None:
    assert trouble({"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}) == ""
    assert trouble({"containerStatuses": [{"state": {"running": {}}}]}) == ""
