"""`showstopper preview` of a game day that nobody would perform, whatever its acts would hit, by a real API server."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.cluster.apiserver import ApiServer
from showstopper.api.stop_switch import AGENT_NAMESPACE, STOP_SWITCH, STOP_SWITCH_ROLE
from showstopper.cluster.client import Client
from showstopper.engine.days.preludes import APPROVALS_POLICY
from tests.api.build import game_day, room
from tests.cli.stand_ins import Person
from tests.support import api_server, stored_objects

pytestmark = pytest.mark.apiserver
TO_COME = {"end": "2099-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """Of its own, with the policy that checks who approves: a stop switch would end what other tests do."""
    with api_server.with_crds() as running:
        binding = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": APPROVALS_POLICY},
            "spec": {"policyName": APPROVALS_POLICY, "validationActions": ["Deny"]},
        }
        api_server.apply(running, binding)
        running.kubectl("label", "namespace", "show", "showstopper.dev/chaos=allowed", "--overwrite")
        asyncio.run(with_relays(running))
        yield running


async def with_relays(server: ApiServer) -> None:
    async with await Client.connect(server.kubeconfig) as client:
        for number in (1, 2, 3):
            await stored_objects.pod(client, "show", f"relay-{number}", address=f"198.18.200.{number}")


def written(folder: Path, changes: Mapping[str, Any] | None = None, **of_experiment: Any) -> str:
    """The file of a day whose acts would run, with its room and the experiment that the first act names."""
    day = game_day({"spec.window": TO_COME, **(changes or {})})
    inline = day["spec"]["acts"][1]["experiment"]
    named = {**day, "kind": "Experiment", "metadata": {"name": "kill", "namespace": "show"}}
    file = folder / "day.yaml"
    place = room({"metadata.name": inline["roomRef"]["name"]})
    file.write_text(yaml.safe_dump_all([place, {**named, "spec": {**inline, **of_experiment}}, day]))
    return str(file)


def previewed(server: ApiServer, *words: str) -> tuple[int, dict[str, Any], str]:
    code, out, err = Person(server).call(*words, "-o", "json")
    return code, json.loads(out), err


def test_a_day_that_would_be_performed(server: ApiServer, tmp_path: Path) -> None:
    code, body, err = previewed(server, "preview", written(tmp_path))
    assert (code, body["wouldRun"], body["refusal"], err) == (0, True, None, ""), body


@pytest.mark.parametrize(
    ("changes", "of_experiment", "reason"),
    [
        ({}, {"dryRun": True}, "ActIsDryRun"),
        ({"spec.window": {"end": "2026-01-01T00:00:00Z"}}, {}, "WindowPassed"),
        ({"spec.abort": True}, {}, "AbortRequested"),
    ],
)
def test_what_the_operator_refuses_would_not_run(
    server: ApiServer, tmp_path: Path, changes: dict[str, Any], of_experiment: dict[str, Any], reason: str
) -> None:
    file = written(tmp_path, changes, **of_experiment)
    code, body, _ = previewed(server, "preview", file)
    assert (code, body["wouldRun"], body["refusal"]["reason"]) == (2, False, reason)
    assert all(act["wouldRun"] for act in body["acts"]), "the acts have nothing to do with it"
    code, out, _ = Person(server).call("preview", file)
    assert code == 2
    assert f"the game day\nrefused: {reason}: " in out


def test_nobody_can_approve_without_the_policy(server: ApiServer, tmp_path: Path) -> None:
    file = written(tmp_path)
    binding = server.kubectl("get", "validatingadmissionpolicybinding", APPROVALS_POLICY, "-o", "yaml")
    server.kubectl("delete", "validatingadmissionpolicybinding", APPROVALS_POLICY)
    try:
        code, body, _ = previewed(server, "preview", file)
        assert (code, body["refusal"]["reason"]) == (2, "ApprovalPolicyMissing")
        held = {"spec.acts": [act | {"hold": {"for": "5m"}} for act in game_day()["spec"]["acts"]]}
        assert previewed(server, "preview", written(tmp_path, held))[0] == 0, "nobody has to approve"
    finally:
        server.kubectl("apply", "-f", "-", stdin=binding)


def test_nothing_would_run_under_the_stop_switch(server: ApiServer, tmp_path: Path) -> None:
    day = written(tmp_path)
    place, experiment, _ = yaml.safe_load_all(Path(day).read_text())
    alone = tmp_path / "experiment.yaml"
    alone.write_text(yaml.safe_dump_all([place, experiment]))
    assert previewed(server, "preview", str(alone))[0] == 0
    server.kubectl("create", "namespace", AGENT_NAMESPACE)
    rights = ["--verb=get", "--resource=configmaps"]
    server.kubectl("-n", AGENT_NAMESPACE, "create", "role", STOP_SWITCH_ROLE, *rights)
    server.kubectl("-n", AGENT_NAMESPACE, "create", "cm", STOP_SWITCH, "--from-literal=reason=the real show")
    try:
        for file in (day, str(alone)):
            code, body, _ = previewed(server, "preview", file)
            assert (code, body["wouldRun"], body["refusal"]["reason"]) == (2, False, "Stopped")
            assert "the real show" in body["refusal"]["message"]
    finally:
        server.kubectl("delete", "namespace", AGENT_NAMESPACE, "--wait=false")
        server.kubectl("-n", AGENT_NAMESPACE, "delete", "cm", STOP_SWITCH, "--ignore-not-found")
        server.kubectl("-n", AGENT_NAMESPACE, "delete", "role", STOP_SWITCH_ROLE)


def test_what_the_caller_may_not_read_is_named(server: ApiServer, tmp_path: Path) -> None:
    """A namespace's people may read neither, as a rule: that is no refusal, and they are told."""
    reads = "get,list,watch"
    resources = "pods,services,namespaces,audiorooms.showstopper.dev,experiments.showstopper.dev"
    server.kubectl("create", "clusterrole", "reader", f"--verb={reads}", f"--resource={resources}")
    server.kubectl("create", "clusterrolebinding", "reader", "--clusterrole=reader", "--user=ada")
    code, body, err = previewed(server, "--as", "ada", "preview", written(tmp_path))
    assert (code, body["refusal"]) == (0, None)
    assert "whether the stop switch is set was not checked" in err
    assert "whether anybody can approve loss was not checked" in err
