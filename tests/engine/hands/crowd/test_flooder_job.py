"""What is known of a flooder by its pod, and what is said of it to a person."""

from typing import Any

from showstopper.engine.hands.crowd import flooder_job
from tests.support import build

RUN = build.run()
JOB = flooder_job.name(RUN, "flood")
REPORT = '{"event": "flooded", "ended_by": "NoGate", "packets": 0, "errors": {}}'


def pod(**status: Any) -> dict[str, Any]:
    labels = {"batch.kubernetes.io/job-name": JOB}
    metadata = {"name": "flood-x", "namespace": "show", "uid": "uid-x", "labels": labels}
    return {"metadata": metadata, "spec": {"nodeName": "node1"}, "status": status}


def container(**state: Any) -> list[dict[str, Any]]:
    return [{"name": "flooder", "state": state}]


def test_a_pod_that_runs_and_has_an_address_is_there() -> None:
    found = flooder_job.flooder_of(RUN, "flood", [pod(phase="Running", podIP="198.18.1.9")])
    assert found.pod is not None
    assert (found.pod.uid, found.pod.node, found.pod.address) == ("uid-x", "node1", "198.18.1.9")
    assert not found.over


def test_without_an_address_or_of_another_flood_it_is_not() -> None:
    assert flooder_job.flooder_of(RUN, "flood", [pod(phase="Running")]).pod is None
    other = flooder_job.flooder_of(RUN, "other", [pod(phase="Running", podIP="198.18.1.9")])
    assert other.pod is None
    assert "its Job has no pod: a quota" in other.problem


def test_what_keeps_it_from_running_is_told() -> None:
    waiting = {"reason": "ErrImagePull", "message": "no such image"}
    found = flooder_job.flooder_of(RUN, "flood", [pod(phase="Pending", containerStatuses=container(waiting=waiting))])
    assert found.problem == "ErrImagePull: no such image"
    unscheduled = [{"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available"}]
    assert (
        flooder_job.flooder_of(RUN, "flood", [pod(phase="Pending", conditions=unscheduled)]).problem
        == "0/2 nodes are available"
    )


def test_what_it_said_at_its_end_is_told() -> None:
    found = flooder_job.flooder_of(
        RUN, "flood", [pod(phase="Failed", containerStatuses=container(terminated={"message": REPORT}))]
    )
    assert found.over
    assert flooder_job.silent(found) == "its flooder ended by NoGate after 0 packets"


def test_a_traceback_is_no_report() -> None:
    terminated = {"message": "Traceback (most recent call last):"}
    found = flooder_job.flooder_of(
        RUN, "flood", [pod(phase="Failed", containerStatuses=container(terminated=terminated))]
    )
    assert found.over
    assert flooder_job.silent(found) == ""


def test_a_name_is_a_label_whatever_the_runs_is() -> None:
    names = {flooder_job.name(build.run("r" * 63), fault) for fault in ("one", "other")}
    assert len(names) == 2
    assert all(len(name) <= 63 for name in names)
