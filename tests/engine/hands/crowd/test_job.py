"""The Job of a fault, what is known of it by its pod, and what is said of that to a person."""

from dataclasses import replace
from typing import Any

from showstopper.api.experiment import Fault
from showstopper.api.faults.storm import StormFigures
from showstopper.engine.hands.crowd import job
from showstopper.engine.planning.plan import PlannedFault
from showstopper.engine.rooms import Images
from tests.support import build

FAULT = Fault.model_validate(
    {
        "name": "flood",
        "target": {"component": "relay"},
        "duration": "5s",
        "packetFlood": {"port": "media", "rate": 100},
    }
)
STORM = Fault.model_validate(
    {
        "name": "storm",
        "target": {"component": "relay", "serving": True},
        "duration": "10s",
        "joinStorm": {"port": "signal", "joins": 50, "rate": 25},
    }
)
PORTS = (
    {"name": "media", "port": 50000, "endPort": 60000, "protocol": "UDP"},
    {"name": "signal", "port": 7880, "protocol": "TCP"},
)
NOW = 1_800_000_000.0
RUN = build.run()
JOB = job.name(RUN, "flood")
REPORT = '{"event": "flooded", "ended_by": "NoGate", "packets": 0, "errors": {}}'


def pod(**status: Any) -> dict[str, Any]:
    labels = {"batch.kubernetes.io/job-name": JOB}
    metadata = {"name": "flood-x", "namespace": "show", "uid": "uid-x", "labels": labels}
    return {"metadata": metadata, "spec": {"nodeName": "node1"}, "status": status}


def container(**state: Any) -> list[dict[str, Any]]:
    return [{"name": "flooder", "state": state}]


def test_a_pod_that_runs_and_has_an_address_is_there() -> None:
    crowd_pod = job.pod_of(RUN, "flood", [pod(phase="Running", podIP="198.18.1.9")])
    assert crowd_pod.pod is not None
    assert (crowd_pod.pod.uid, crowd_pod.pod.node, crowd_pod.pod.address) == ("uid-x", "node1", "198.18.1.9")
    assert not crowd_pod.over


def test_without_an_address_or_of_another_flood_it_is_not() -> None:
    assert job.pod_of(RUN, "flood", [pod(phase="Running")]).pod is None
    other = job.pod_of(RUN, "other", [pod(phase="Running", podIP="198.18.1.9")])
    assert other.pod is None
    assert "its Job has no pod: a quota" in other.problem


def test_what_keeps_it_from_running_is_told() -> None:
    waiting = {"reason": "ErrImagePull", "message": "no such image"}
    crowd_pod = job.pod_of(RUN, "flood", [pod(phase="Pending", containerStatuses=container(waiting=waiting))])
    assert crowd_pod.problem == "ErrImagePull: no such image"
    unscheduled = [{"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available"}]
    assert job.pod_of(RUN, "flood", [pod(phase="Pending", conditions=unscheduled)]).problem == "0/2 nodes are available"


def test_what_it_said_at_its_end_is_told() -> None:
    crowd_pod = job.pod_of(
        RUN, "flood", [pod(phase="Failed", containerStatuses=container(terminated={"message": REPORT}))]
    )
    assert crowd_pod.over
    assert job.excuse(FAULT, crowd_pod) == "its flooder ended by NoGate after 0 packets"


def test_a_traceback_is_no_report() -> None:
    terminated = {"message": "Traceback (most recent call last):"}
    crowd_pod = job.pod_of(RUN, "flood", [pod(phase="Failed", containerStatuses=container(terminated=terminated))])
    assert crowd_pod.over
    assert job.excuse(FAULT, crowd_pod) == ""


def test_a_name_is_a_label_whatever_the_runs_is() -> None:
    names = {job.name(build.run("r" * 63), fault) for fault in ("one", "other")}
    assert len(names) == 2
    assert all(len(name) <= 63 for name in names)


def made(fault: Fault) -> dict[str, Any]:
    """The Job of a fault of one relay, as it is created."""
    (relay, *others) = build.ROOM_SPEC["components"]
    spec = {**build.ROOM_SPEC, "components": [relay | {"ports": PORTS}, *others]}
    run = build.run(room={"name": "main-stage", "uid": "room-uid", "spec": spec})
    planned = PlannedFault(fault, (replace(build.pod("relay-0"), address="198.18.1.2"),), ())
    return job.job(run, planned, Images("audio"), NOW)


def test_a_storm_is_told_its_joins_and_gets_the_key_from_the_rooms_secret() -> None:
    body = made(STORM)
    (container,) = body["spec"]["template"]["spec"]["containers"]
    told = {each["name"]: each for each in container["env"]}
    assert container["name"] == "storm"
    assert container["command"] == ["python3", "-m", "showstopper.audio.crowd.storm.process"]
    assert told["SHOWSTOPPER_STORM_TARGETS"]["value"] == "198.18.1.2:7880"
    assert (told["SHOWSTOPPER_STORM_TRIES"]["value"], told["SHOWSTOPPER_STORM_SECONDS"]["value"]) == ("50", "8")
    key = {"secretKeyRef": {"name": "livekit-keys", "key": "LIVEKIT_API_SECRET"}}
    assert told["LIVEKIT_API_SECRET"] == {"name": "LIVEKIT_API_SECRET", "valueFrom": key}, "and never in the clear"
    assert told["LIVEKIT_ROOM"]["value"] == "main"


def test_a_flooder_gets_no_key() -> None:
    (container,) = made(FAULT)["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python3", "-m", "showstopper.audio.flood.flooder"]
    assert not [each for each in container["env"] if each["name"].startswith("LIVEKIT")]


def test_a_pod_of_the_crowd_is_never_one_of_the_rooms_fleet() -> None:
    """The operator and the archive take their listeners by the room's label, too, which no Job has."""
    for fault, role in ((FAULT, "flooder"), (STORM, "storm")):
        body = made(fault)
        for labels in (body["metadata"]["labels"], body["spec"]["template"]["metadata"]["labels"]):
            assert labels["showstopper.dev/role"] == role
            assert "showstopper.dev/room" not in labels


def test_what_came_of_a_storm_is_read_from_its_last_line() -> None:
    figures = {"asked": 50, "attempts": 50, "letIn": 49, "refused": [{"reason": "Unavailable", "count": 1}]}
    told = job.behaviour(STORM).figures_of({"event": "stormed", "storm": figures})
    assert isinstance(told, StormFigures)
    assert (told.asked, told.let_in, told.refusals) == (50, 49, 1)
    assert job.behaviour(STORM).figures_of({"event": "flooded"}) is None
    assert job.behaviour(FAULT).figures_of({"event": "flooded", "packets": 3}) is None
