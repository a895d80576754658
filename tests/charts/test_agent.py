"""The agents in the operator's chart: their privileges and no more, and who may write what of an Injection."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

from dev.cluster.apiserver import ApiServer
from dev.cluster.errors import CommandError
from showstopper.agent import changes
from showstopper.api.injection import LEASE_LABEL
from showstopper.api.stop_switch import STOP_SWITCH
from showstopper.engine.rooms.fleet import manifests, names
from tests.api.build import host_injection, injection
from tests.charts.helm import CHARTS, Object, helm, one, pod_specs, render
from tests.charts.test_operator import allowed
from tests.support.api_server import as_object
from tests.support.build import room

pytestmark = pytest.mark.charts

ON = {"agent": {"enabled": True}}
AGENTS = "showstopper-agent"
HOSTS = ("main-stage-host-a", "main-stage-host-b")
"""Pods of one room's host, as one replaces the other."""


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    return render("showstopper", ON)


@pytest.fixture(scope="module")
def pod(objects: list[Object]) -> Object:
    return pod_specs(objects)["showstopper-agent"]


def test_they_come_only_when_asked_for() -> None:
    without = render("showstopper")
    assert {each["kind"] for each in without if each["metadata"]["name"] == "showstopper-agent"} == {"Namespace"}


def test_the_stop_switch_is_there_without_them(objects: list[Object]) -> None:
    without = render("showstopper")
    (namespace,) = (each for each in without if each["kind"] == "Namespace")
    assert namespace["metadata"]["name"] == AGENTS
    assert not [label for label in namespace["metadata"]["labels"] if label.startswith("pod-security")]
    for rendered, subjects in ((without, {"showstopper-operator"}), (objects, {"showstopper-operator", AGENTS})):
        switch = one(rendered, "Role", "showstopper-stop-switch")
        assert switch["metadata"]["namespace"] == AGENTS
        (rule,) = switch["rules"]
        assert rule["resourceNames"] == [STOP_SWITCH]
        assert allowed(switch) == {("", "configmaps", verb) for verb in ("get", "list", "watch")}
        bound = one(rendered, "RoleBinding", "showstopper-stop-switch")
        assert {each["name"] for each in bound["subjects"]} == subjects
        (container,) = pod_specs(rendered)["showstopper-operator"]["containers"]
        values = {each["name"]: each.get("value") for each in container["env"]}
        assert values["SHOWSTOPPER_AGENT_NAMESPACE"] == AGENTS


def test_only_their_own_namespace_is_privileged(objects: list[Object]) -> None:
    (namespace,) = (each for each in objects if each["kind"] == "Namespace")
    assert namespace["metadata"]["name"] == AGENTS
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"
    assert one(objects, "DaemonSet", "showstopper-agent")["metadata"]["namespace"] == AGENTS
    here = render("showstopper", {"agent": {"enabled": True, "namespace": "there"}})
    assert not [each for each in here if each["kind"] == "Namespace"]


def test_they_have_the_privileges_that_they_need_and_no_other(pod: Object) -> None:
    container, watchdog = pod["containers"]
    assert {key for key in pod if key.startswith("host")} == {"hostPID"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "appArmorProfile": {"type": "Unconfined"},
        "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE", "SYS_NICE", "KILL"]},
    }
    assert watchdog["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "ports" not in container
    assert "ports" not in watchdog
    assert {volume["name"]: volume["hostPath"] for volume in pod["volumes"]} == {
        "state": {"path": "/run/showstopper-agent", "type": "DirectoryOrCreate"},
        "cgroups": {"path": "/sys/fs/cgroup", "type": "Directory"},
    }
    assert container["volumeMounts"][0]["subPathExpr"] == "$(NODE_NAME)"


def test_the_watchdog_sees_what_the_agent_writes_and_the_cgroups_at_the_same_place(pod: Object) -> None:
    """The agent writes down paths, and the watchdog follows them."""
    container, watchdog = pod["containers"]
    assert watchdog["volumeMounts"] == container["volumeMounts"]
    state, cgroups = (mount["mountPath"] for mount in watchdog["volumeMounts"])
    assert {each["name"]: each.get("value") for each in container["env"]}["SHOWSTOPPER_CGROUPS"] == cgroups
    assert watchdog["command"] == ["python3", "-m", "showstopper.agent.watchdog", state]
    heart = watchdog["livenessProbe"]["exec"]["command"][-1]
    assert heart == f"{state}/{changes.HEART}"


def test_they_are_told_who_they_are_and_their_heartbeat_is_where_they_leave_it(pod: Object) -> None:
    container, _ = pod["containers"]
    values = {
        each["name"]: each.get("value") or each["valueFrom"]["fieldRef"]["fieldPath"] for each in container["env"]
    }
    assert container["command"] == ["showstopper", "agent"]
    assert values == {
        "NODE_NAME": "spec.nodeName",
        "POD_NAMESPACE": "metadata.namespace",
        "SHOWSTOPPER_STATE": container["volumeMounts"][0]["mountPath"],
        "SHOWSTOPPER_CGROUPS": container["volumeMounts"][1]["mountPath"],
        "SHOWSTOPPER_LOG_LEVEL": "info",
    }
    for probe in ("startupProbe", "livenessProbe"):
        command = container[probe]["exec"]["command"]
        assert command == ["python3", "-m", "showstopper.agent.heartbeat", f"{values['SHOWSTOPPER_STATE']}/alive"]
    assert pod["tolerations"] == [{"operator": "Exists"}]


def test_they_may_read_what_they_do_and_write_what_came_of_it(objects: list[Object]) -> None:
    def may(group: str, resource: str, verbs: str) -> set[tuple[str, str, str]]:
        return set(itertools.product([group], [resource], verbs.split()))

    assert allowed(one(objects, "ClusterRole", "showstopper-agent")) == (
        may("showstopper.dev", "injections", "get list watch")
        | may("showstopper.dev", "injections/status", "get patch")
        | may("coordination.k8s.io", "leases", "get list watch")
    )
    assert allowed(one(objects, "ClusterRole", "showstopper-operator-injections")) == (
        may("showstopper.dev", "injections", "get list watch create patch delete")
        | may("coordination.k8s.io", "leases", "get create patch delete")
        | may("batch", "jobs", "get create delete")
        | may("", "services", "list")
    )


def test_every_policy_is_bound_and_denies(objects: list[Object]) -> None:
    policies = {each["metadata"]["name"] for each in objects if each["kind"] == "ValidatingAdmissionPolicy"}
    bound = [each for each in objects if each["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert {each["spec"]["policyName"] for each in bound} == policies
    assert len(policies) == 4
    assert all(each["spec"]["validationActions"] == ["Deny"] for each in bound)


def test_the_lease_policy_is_about_the_leases_that_agents_watch(objects: list[Object]) -> None:
    policy = one(objects, "ValidatingAdmissionPolicy", "showstopper-run-leases")
    selected = policy["spec"]["matchConstraints"]["objectSelector"]["matchExpressions"]
    assert selected == [{"key": LEASE_LABEL, "operator": "Exists"}]


class People:
    """Who asks the API server: its administrator, the operator, and agents and hosts with the tokens of their pods."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self.server = server
        self.operator = server.user("system:serviceaccount:there:showstopper-operator")
        self.agents = {node: self._agent(node, folder) for node in ("node1", "node2")}
        for body in manifests.account(room()):
            self.kubectl(self.operator, "create", "-f", "-", body=body)
        self.hosts = {pod: self._host(pod, folder) for pod in HOSTS}
        token = server.kubectl("create", "token", AGENTS, "-n", AGENTS)
        self.without_a_node = self._kubeconfig(token, folder / "no-node")

    def _agent(self, node: str, folder: Path) -> Path:
        self._create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})
        spec = {"nodeName": node, "serviceAccountName": AGENTS, "containers": [{"name": "x", "image": "x"}]}
        metadata = {"name": f"agent-{node}", "namespace": AGENTS}
        self._create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        bound = ["--bound-object-kind=Pod", f"--bound-object-name=agent-{node}"]
        return self._kubeconfig(self.server.kubectl("create", "token", AGENTS, "-n", AGENTS, *bound), folder / node)

    def _host(self, pod: str, folder: Path) -> Path:
        account = names.host(room())
        spec = {"serviceAccountName": account, "containers": [{"name": "x", "image": "x"}]}
        metadata = {"name": pod, "namespace": "show"}
        self._create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        bound = ["--bound-object-kind=Pod", f"--bound-object-name={pod}"]
        return self._kubeconfig(self.server.kubectl("create", "token", account, "-n", "show", *bound), folder / pod)

    def _create(self, body: Object) -> None:
        self.server.kubectl("create", "-f", "-", stdin=json.dumps(body))

    def _kubeconfig(self, token: str, path: Path) -> Path:
        config = yaml.safe_load(self.server.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": token.strip()}
        path.write_text(yaml.safe_dump(config))
        return path

    def kubectl(self, who: Path | None, *arguments: str, body: Object | None = None) -> str:
        """What kubectl says to them; raises CommandError with the refusal."""
        return self.server.kubectl(*arguments, stdin=json.dumps(body) if body else None, kubeconfig=who)

    def status(self, who: Path | None, message: str, name: str = "kill-1-loss-1") -> str:
        """Write the status of an injection."""
        patch = json.dumps([{"op": "add", "path": "/status", "value": {"message": message}}])
        return self.kubectl(who, "patch", "-n", "show", "inj", name, "--subresource=status", "--type=json", "-p", patch)


@pytest.fixture(scope="module")
def people(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """The chart's rights and policies at work, and an Injection for node1."""
    objects = [
        each
        for each in render("showstopper", ON)
        if each["kind"] not in {"CustomResourceDefinition", "Deployment", "DaemonSet"}
    ]
    server.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    made = People(server, tmp_path_factory.mktemp("people"))
    made.kubectl(made.operator, "create", "-f", "-", body=injection())
    # A policy is in force some time after it was written; nothing says when.
    until_refused(lambda: made.kubectl(None, "create", "--dry-run=server", "-f", "-", body=lease("probe")))
    until_refused(
        lambda: made.kubectl(None, "create", "--dry-run=server", "-f", "-", body=injection({"metadata.name": "probe"}))
    )
    until_refused(lambda: made.status(None, "probe"))
    yield made
    # Nothing in this server would bring the end of a namespace about.
    mortal = [each for each in objects if each["kind"] != "Namespace"]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": mortal})
    server.kubectl("delete", "--wait=false", "-f", "-", stdin=listed)


def until_refused(attempt: Callable[[], str]) -> None:
    """Wait for a refusal by a policy."""
    deadline = time.monotonic() + 60
    while not (said := refusal(attempt)):
        assert time.monotonic() < deadline, "the policy does not come into force"
        time.sleep(0.2)
    assert "only Showstopper's" in said


def refusal(attempt: Callable[[], str]) -> str:
    """What was said against it; empty: it was done."""
    try:
        attempt()
    except CommandError as error:
        return str(error)
    return ""


def lease(name: str, **spec: str) -> Object:
    metadata = {"name": name, "namespace": "show", "labels": {LEASE_LABEL: "kill-1"}}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


@pytest.mark.apiserver
def test_the_agent_of_the_node_writes_the_status_and_nobody_else(people: People) -> None:
    assert "patched" in people.status(people.agents["node1"], "from node1")
    for who, says in (
        (people.agents["node2"], "only the agent of node node1 writes"),
        (people.without_a_node, "only the agent of node node1 writes"),
        (None, "only Showstopper's agents write"),
    ):
        assert says in refusal(partial(people.status, who, "forged"))
    assert "injections" in refusal(lambda: people.status(people.operator, "forged"))
    told = as_object(people.kubectl(None, "get", "-n", "show", "inj", "kill-1-loss-1", "-o", "json"))
    assert told["status"]["message"] == "from node1"


@pytest.mark.apiserver
def test_a_host_writes_the_status_of_what_its_own_pod_carries_out_and_of_nothing_else(people: People) -> None:
    uid = people.kubectl(None, "get", "pod", "-n", "show", HOSTS[0], "-o", "jsonpath={.metadata.uid}")
    asked = host_injection({"metadata.name": "silence", "spec.pod": HOSTS[0], "spec.targets.0.pod": HOSTS[0]})
    asked["spec"]["targets"][0]["uid"] = uid
    people.kubectl(people.operator, "create", "-f", "-", body=asked)
    own, other = (people.hosts[pod] for pod in HOSTS)
    assert "patched" in people.status(own, "from the host", "silence")
    for who, says in (
        (other, f"only pod {HOSTS[0]} itself writes"),
        (None, f"only pod {HOSTS[0]} itself writes"),
        (people.agents["node1"], f"only pod {HOSTS[0]} itself writes"),
    ):
        assert says in refusal(partial(people.status, who, "forged", "silence"))
    assert "only Showstopper's agents write" in refusal(partial(people.status, own, "forged"))
    told = as_object(people.kubectl(None, "get", "-n", "show", "inj", "silence", "-o", "json"))
    assert told["status"]["message"] == "from the host"


@pytest.mark.apiserver
def test_a_host_of_another_pod_with_that_name_does_not_write_it(people: People) -> None:
    asked = host_injection({"metadata.name": "former", "spec.pod": HOSTS[0], "spec.targets.0.pod": HOSTS[0]})
    people.kubectl(people.operator, "create", "-f", "-", body=asked)
    forged = refusal(partial(people.status, people.hosts[HOSTS[0]], "forged", "former"))
    assert f"only pod {HOSTS[0]} itself writes" in forged


@pytest.mark.apiserver
def test_a_host_may_watch_what_it_is_asked_for_in_its_rooms_namespace_and_nothing_else(people: People) -> None:
    host = people.hosts[HOSTS[0]]
    people.kubectl(host, "get", "inj", "-n", "show", f"--field-selector=spec.pod={HOSTS[0]}")
    people.kubectl(host, "get", "leases", "-n", "show", f"--selector={LEASE_LABEL}")
    for refused in (("inj", "-A"), ("pods", "-n", "show"), ("secrets", "-n", "show"), ("leases", "-n", AGENTS)):
        assert "forbidden" in refusal(partial(people.kubectl, host, "get", *refused)).lower()


@pytest.mark.apiserver
def test_only_the_operator_makes_injections_and_lifts_them(people: People) -> None:
    other = injection({"metadata.name": "other"})
    assert "only Showstopper's operator writes Injections" in refusal(
        lambda: people.kubectl(None, "create", "-f", "-", body=other)
    )
    assert "cannot create" in refusal(lambda: people.kubectl(people.agents["node1"], "create", "-f", "-", body=other))
    lift = json.dumps([{"op": "add", "path": "/spec/lift", "value": True}])
    patch = ["patch", "-n", "show", "inj", "kill-1-loss-1", "--type=json", "-p", lift]
    assert "only Showstopper's operator writes" in refusal(lambda: people.kubectl(None, *patch))
    assert "patched" in people.kubectl(people.operator, *patch)


@pytest.mark.apiserver
def test_metadata_is_for_the_garbage_collector_too(people: People) -> None:
    assert "labeled" in people.kubectl(None, "label", "-n", "show", "inj", "kill-1-loss-1", "note=x")


@pytest.mark.apiserver
def test_only_the_operator_renews_the_leases_of_runs(people: People) -> None:
    people.kubectl(people.operator, "create", "-f", "-", body=lease("kill-1", holderIdentity="a"))
    renewal = lease("kill-1", holderIdentity="b")
    assert "only Showstopper's operator writes the Leases" in refusal(
        lambda: people.kubectl(None, "replace", "-f", "-", body=renewal)
    )
    renew = json.dumps([{"op": "add", "path": "/spec/holderIdentity", "value": "b"}])
    people.kubectl(people.operator, "patch", "-n", "show", "lease", "kill-1", "--type=json", "-p", renew)
    mine = lease("mine", holderIdentity="a")
    del mine["metadata"]["labels"]
    people.kubectl(None, "create", "-f", "-", body=mine)  # other Leases are nobody's business
    people.kubectl(None, "delete", "-n", "show", "lease", "kill-1", "mine")  # who deletes it only lifts faults early


@pytest.mark.apiserver
def test_an_agent_may_watch_its_own_and_the_switch(people: People) -> None:
    agent = people.agents["node1"]
    assert "kill-1-loss-1" in people.kubectl(agent, "get", "inj", "-A", "--field-selector=spec.node=node1")
    people.kubectl(agent, "get", "cm", "-n", AGENTS, f"--field-selector=metadata.name={STOP_SWITCH}")
    assert "forbidden" in refusal(lambda: people.kubectl(agent, "get", "cm", "-n", AGENTS)).lower()
    assert "forbidden" in refusal(lambda: people.kubectl(agent, "get", "pods", "-A")).lower()


@pytest.mark.apiserver
def test_pod_security_takes_the_pod_in_their_namespace_only(people: People, pod: Object) -> None:
    def create(namespace: str) -> str:
        metadata = {"name": "try", "namespace": namespace}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}
        return people.kubectl(None, "create", "--dry-run=server", "-f", "-", body=body)

    assert "created" in create(AGENTS)
    assert "violates PodSecurity" in refusal(lambda: create("there"))


@pytest.mark.apiserver
def test_an_install_says_how_to_stop_everything(server: ApiServer) -> None:
    options = [
        "--namespace=there",
        "--dry-run=server",
        "--set=crds.enabled=false,agent.enabled=true",
        "--take-ownership",
    ]
    done = helm("install", "x", str(CHARTS / "showstopper"), *options, kubeconfig=server.kubeconfig)
    assert done.returncode == 0, done.stderr
    assert f"--namespace {AGENTS} create configmap {STOP_SWITCH}" in done.stdout
