"""The pre-delete hook: a Job with rights of its own, which are there for its time only."""

import itertools
import json
import os
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from dev.cluster.apiserver import ApiServer
from showstopper.cli.main import app
from tests.charts.helm import Object, one, pod_specs, render

pytestmark = pytest.mark.charts
NAME = "showstopper-pre-delete"
HOOK = "helm.sh/hook"


def hooks(objects: list[Object]) -> list[Object]:
    return [each for each in objects if HOOK in each["metadata"].get("annotations", {})]


def rights(role: Object) -> set[tuple[str, str, str]]:
    """(resource, verb, name or empty) of all rules."""
    return {
        (resource, verb, name)
        for rule in role["rules"]
        for resource, verb, name in itertools.product(rule["resources"], rule["verbs"], rule.get("resourceNames", [""]))
    }


def test_rights_are_there_before_the_job_and_gone_after_it() -> None:
    objects = hooks(render("showstopper"))
    job = one(objects, "Job", NAME)
    assert {each["metadata"]["annotations"][HOOK] for each in objects} == {"pre-delete"}
    others = [each["metadata"]["annotations"] for each in objects if each is not job]
    assert {each["helm.sh/hook-weight"] for each in others} == {"-1"}
    assert all("hook-failed" in each["helm.sh/hook-delete-policy"] for each in others)
    annotations = job["metadata"]["annotations"]
    assert annotations["helm.sh/hook-weight"] == "0"
    assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded", (
        "its log tells what failed"
    )


def test_it_may_do_what_it_does_and_no_more() -> None:
    objects = hooks(render("showstopper"))
    assert rights(one(objects, "ClusterRole", NAME)) == {
        (resource, verb, "")
        for resource, verb in [
            *itertools.product(["experimentruns", "gamedays"], ["get", "list"]),
            *itertools.product(["statefulsets", "deployments", "serviceaccounts", "rolebindings"], ["list", "delete"]),
        ]
    }
    assert rights(one(objects, "Role", NAME)) == {
        ("deployments/scale", "patch", "showstopper-operator"),
        ("pods", "list", ""),
    }
    assert rights(one(objects, "Role", f"{NAME}-switch")) == {
        ("configmaps", "create", ""),
        *(("configmaps", verb, "stop-switch") for verb in ("get", "patch", "delete")),
    }


def test_it_waits_for_as_long_as_it_is_told_in_the_agents_namespace() -> None:
    objects = render("showstopper", {"preDelete": {"timeoutSeconds": 30}, "agent": {"namespace": "chaos-agents"}})
    assert one(objects, "Role", f"{NAME}-switch")["metadata"]["namespace"] == "chaos-agents"
    job = one(objects, "Job", NAME)
    assert job["spec"]["activeDeadlineSeconds"] == 120
    (container,) = pod_specs(objects)[NAME]["containers"]
    assert container["command"] == ["showstopper", "before-uninstall", "--timeout=30"]
    assert container["env"] == [{"name": "SHOWSTOPPER_AGENT_NAMESPACE", "value": "chaos-agents"}]


def test_it_can_be_left_out() -> None:
    assert not hooks(render("showstopper", {"preDelete": {"enabled": False}}))


@pytest.fixture
def installed(server: ApiServer) -> Iterator[None]:
    """The operator's Deployment, and what is there before the hook's Job."""
    objects = render("showstopper")
    parts = [each for each in hooks(objects) if each["kind"] != "Job"]
    bodies = json.dumps(
        {"apiVersion": "v1", "kind": "List", "items": [*parts, one(objects, "Deployment", "showstopper-operator")]}
    )
    server.kubectl("apply", "--filename=-", stdin=bodies)
    yield
    server.kubectl("delete", "--filename=-", stdin=bodies)


@pytest.mark.usefixtures("installed")
def test_its_rights_are_enough(server: ApiServer) -> None:
    account = f"system:serviceaccount:there:{NAME}"
    result = CliRunner().invoke(
        app,
        ["--namespace=there", f"--as={account}", "before-uninstall", "--timeout=10"],
        env={**os.environ, "KUBECONFIG": str(server.kubeconfig), "SHOWSTOPPER_AGENT_NAMESPACE": "showstopper-agent"},
    )
    assert result.exit_code == 0, result.output
    scale = server.kubectl(
        "-n", "there", "get", "deployment", "showstopper-operator", "-o", "jsonpath={.spec.replicas}"
    )
    assert scale == "0"
    assert not server.kubectl("-n", "showstopper-agent", "get", "configmaps", "stop-switch", "--ignore-not-found")
