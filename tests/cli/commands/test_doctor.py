"""`showstopper doctor` against a real API server: what it finds, and what it says to do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from showstopper.api.stop_switch import STOP_SWITCH_ROLE
from showstopper.cli.commands import doctor
from showstopper.cli.kube.checks import Check, State
from tests.api.build import room
from tests.cli.build import text
from tests.cli.stand_ins import Person
from tests.support import api_server

pytestmark = pytest.mark.apiserver


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """Of its own: what is installed in the cluster is asked for."""
    with api_server.with_crds() as running:
        yield running


@pytest.fixture
def agents(server: ApiServer) -> Iterator[str]:
    """The agents' namespace of a chart that was installed with `agent.namespace`."""
    namespace = "chaos-agents"
    ready_pod(server, namespace, "agent")
    server.kubectl("-n", namespace, "create", "role", STOP_SWITCH_ROLE, "--verb=get", "--resource=configmaps")
    yield namespace
    server.kubectl("-n", namespace, "delete", "role", STOP_SWITCH_ROLE)


def checks(server: ApiServer, *words: str) -> tuple[int, dict[str, dict[str, str]]]:
    code, out, _ = Person(server).call(*words, "doctor", "-o", "json")
    document: dict[str, Any] = json.loads(out)
    return code, {check["what"]: check for check in document["checks"]}


def ready_pod(server: ApiServer, namespace: str, component: str, node: str = "node1") -> None:
    """A pod as its kubelet has it: no node runs here."""
    name = f"{component}-of-doctor"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/component": component}},
        "spec": {"nodeName": node, "containers": [{"name": component, "image": "none"}]},
    }
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    for body in (space, pod):
        server.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    ready = json.dumps({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    server.kubectl("-n", namespace, "patch", "pod", name, "--subresource=status", "--type=merge", f"--patch={ready}")


def test_a_cluster_without_anything_is_told_what_to_do(server: ApiServer) -> None:
    server.kubectl("create", "namespace", "doctored")  # of its own: other tests have rooms in theirs
    code, results = checks(server, "-n", "doctored")
    assert code == 1
    assert results["API server"]["state"] == results["resources"]["state"] == "OK"
    assert results["operator"]["state"] == "Failed"
    assert "install the chart" in results["operator"]["remedy"]
    assert (results["agents"]["state"], results["archive"]["state"]) == ("Warning", "Warning")
    assert results["stop switch"]["state"] == "Failed"
    assert "nobody watches a stop switch" in results["stop switch"]["message"]
    assert "archive.enabled=true" in results["archive"]["remedy"]
    assert "kubectl label namespace doctored" in results["namespace"]["remedy"]
    assert "apply an AudioRoom" in results["rooms"]["remedy"]


@pytest.mark.usefixtures("agents")
def test_what_is_there_is_well(server: ApiServer) -> None:
    ready_pod(server, "showstopper-system", "operator")
    server.kubectl("label", "namespace", "show", "showstopper.dev/chaos=allowed")
    try:
        _, results = checks(server)
    finally:
        server.kubectl("label", "namespace", "show", "showstopper.dev/chaos-")
    assert results["operator"]["state"] == results["namespace"]["state"] == results["agent on node1"]["state"] == "OK"
    assert results["stop switch"]["state"] == "OK"


def test_a_room_that_nobody_has_looked_at_is_wrong(server: ApiServer) -> None:
    body = room({"metadata.name": "seen-by-nobody"})
    server.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    try:
        code, results = checks(server)
    finally:
        server.kubectl("-n", "show", "delete", "audioroom", "seen-by-nobody")
    assert code == 1
    assert "has not observed it yet" in results["room seen-by-nobody"]["message"]


def test_a_thrown_switch_is_found_where_it_is_watched_and_named_with_its_reason(server: ApiServer, agents: str) -> None:
    server.kubectl("-n", agents, "create", "cm", "stop-switch", "--from-literal=reason=the show has begun")
    try:
        code, results = checks(server)
    finally:
        code_of_resume, _, _ = Person(server).call("resume")
    assert (code, code_of_resume) == (1, 0)
    assert "the show has begun" in results["stop switch"]["message"]
    assert results["stop switch"]["remedy"] == "showstopper resume"


def test_whoever_may_nothing_is_told_so(server: ApiServer) -> None:
    _, results = checks(server, "--as", "eve")
    assert "you may not run experiments, abort runs" in results["your rights"]["message"]
    assert "showstopper-edit" in results["your rights"]["remedy"]
    assert "not checked" in results["operator"]["message"]


def test_an_unknown_namespace_is_wrong(server: ApiServer) -> None:
    code, results = checks(server, "-n", "nowhere")
    assert code == 1
    assert results["namespace"]["message"] == "there is no namespace nowhere"


def test_people_see_the_remedy_below_what_is_wrong() -> None:
    listed_checks = [
        Check("one", State.OK, "is there", "nothing"),
        Check("two", State.FAILED, "is gone", "bring it back"),
    ]
    words = text(doctor.draw(listed_checks), 60).split()
    assert words == ["✓", "one", "is", "there", "✗", "two", "is", "gone", "→", "bring", "it", "back"]
    assert "→ nothing" in text(doctor.draw(listed_checks, wide=True), 60)
