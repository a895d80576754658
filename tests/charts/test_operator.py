"""The operator's chart: what it may do in the cluster, how it runs, and the CRDs that it brings."""

import itertools
import json
from typing import Any

import pytest
import yaml

from dev.cluster import paths
from dev.cluster.apiserver import ApiServer
from showstopper.api.generated import crds
from showstopper.api.injection import Injection
from showstopper.api.stop_switch import STOP_SWITCH
from tests.charts.helm import CHARTS, Object, helm, one, pod_specs, render, template

pytestmark = pytest.mark.charts

HEALTH = CHARTS / "showstopper" / "files" / "argocd" / "health.lua"
RBAC = "rbac.authorization.k8s.io"
OURS = {"audiorooms", "experiments", "experimentruns", "gamedays", "releasegates"}


def allowed(role: Object) -> set[tuple[str, str, str]]:
    """(group, resource, verb) of all rules."""
    return {
        triple
        for rule in role["rules"]
        for triple in itertools.product(rule["apiGroups"], rule["resources"], rule["verbs"])
    }


def bound(role: Object) -> list[list[str]]:
    """The names of the roles that whoever has this one may bind; an empty list: any."""
    return [rule.get("resourceNames", []) for rule in role["rules"] if "bind" in rule["verbs"]]


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    return render("showstopper")


def test_the_operator_may_do_what_it_does_and_no_more(objects: list[Object]) -> None:
    def may(group: str, resources: str, verbs: str) -> set[tuple[str, str, str]]:
        return set(itertools.product([group], resources.split(), verbs.split()))

    assert allowed(one(objects, "ClusterRole", "showstopper-operator")) == (
        may("showstopper.dev", "audiorooms experiments experimentruns gamedays releasegates", "get list watch")
        | may("showstopper.dev", "experimentruns", "create patch delete")
        | may("showstopper.dev", "audiorooms/status", "get patch")
        | may("showstopper.dev", "experiments/status experimentruns/status", "get update")
        | may("showstopper.dev", "gamedays/status releasegates/status", "get update")
        | may("showstopper.dev", "experiments", "patch")
        | may("admissionregistration.k8s.io", "validatingadmissionpolicybindings", "get")
        | may("", "pods", "get list watch delete")
        | may("", "pods/eviction", "create")
        | may("", "namespaces", "get")
        | may("apps", "statefulsets deployments", "get list watch create patch delete")
        | may("", "serviceaccounts", "get create patch delete")
        | may(RBAC, "rolebindings", "get create patch delete")
        | may(RBAC, "clusterroles", "bind")
        | may("apps", "daemonsets", "get list watch patch")
        | may("autoscaling", "horizontalpodautoscalers", "list")
        | may("apps", "replicasets", "get")
        | may("events.k8s.io", "events", "create")
        | may("", "services", "get")
        | may("batch", "jobs", "get")
    )
    assert bound(one(objects, "ClusterRole", "showstopper-operator")) == [["showstopper-host"]]
    role = one(objects, "Role", "showstopper-operator")
    assert allowed(role) == may("coordination.k8s.io", "leases", "create get patch")
    named = [rule for rule in role["rules"] if "create" not in rule["verbs"]]
    assert [rule["resourceNames"] for rule in named] == [["showstopper"]]


@pytest.mark.parametrize(("kind", "resource"), [("configPush", "configmaps"), ("nodeDrain", "nodes")])
def test_what_is_everybodys_is_changed_only_by_an_operator_that_is_asked_to(kind: str, resource: str) -> None:
    asked = {("", resource, "get"), ("", resource, "patch")}
    plain, more = (
        allowed(one(render("showstopper", values), "ClusterRole", "showstopper-operator"))
        for values in ({}, {"faults": {kind: {"enabled": True}}})
    )
    assert not asked & plain
    assert more - plain == asked


def test_more_kinds_for_expectations_are_in_the_operators_role() -> None:
    rule = {"apiGroups": ["cert-manager.io"], "resources": ["certificates"]}
    objects = render("showstopper", {"expectations": {"kubernetes": {"rules": [rule]}}})
    assert ("cert-manager.io", "certificates", "get") in allowed(one(objects, "ClusterRole", "showstopper-operator"))


@pytest.mark.parametrize("resource", ["secrets", "Secrets", "secrets/status", "*", "*/status"])
def test_no_rule_for_expectations_reads_secrets(resource: str) -> None:
    rules = [{"apiGroups": [""], "resources": ["configmaps", resource]}]
    done = template("showstopper", {"expectations": {"kubernetes": {"rules": rules}}})
    assert done.returncode != 0
    assert "name the resources, and never secrets" in done.stderr


ROLES_OF_HOSTS = {
    "showstopper-operator": {
        *((RBAC, "rolebindings", verb) for verb in ("get", "create", "patch", "delete")),
        (RBAC, "clusterroles", "bind"),
    },
    "showstopper-pre-delete": {(RBAC, "rolebindings", verb) for verb in ("list", "delete")},
}
"""The operator binds hosts of rooms to the one role that it may bind; nobody gets more by that than it has itself."""


def test_no_role_has_a_wildcard_secrets_or_a_way_to_more(objects: list[Object]) -> None:
    roles = [each for each in objects if each["kind"] in {"ClusterRole", "Role"}]
    assert len(roles) == 12
    for role in roles:
        for group, resource, verb in allowed(role) - ROLES_OF_HOSTS.get(role["metadata"]["name"], set()):
            assert "*" not in group + resource + verb
            assert "secrets" not in resource
            assert group != RBAC
            assert verb not in {"escalate", "bind", "impersonate"}
            assert resource not in {"pods/exec", "nodes/proxy", "serviceaccounts/token"}


def test_only_the_operators_account_is_bound() -> None:
    objects = render("showstopper", {"archive": {"enabled": False}, "preDelete": {"enabled": False}})
    bindings = [each for each in objects if each["kind"].endswith("RoleBinding")]
    assert {each["kind"] for each in bindings} == {"ClusterRoleBinding", "RoleBinding"}
    for each in bindings:
        assert each["subjects"] == [{"kind": "ServiceAccount", "name": "showstopper-operator", "namespace": "there"}]


def environment(values: dict[str, Any]) -> dict[str, str]:
    """The plain variables of the operator's process."""
    (container,) = pod_specs(render("showstopper", values))["showstopper-operator"]["containers"]
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


def test_the_operator_is_told_what_to_pull_the_fleets_image_with() -> None:
    values = {"imagePullSecrets": [{"name": "mirror"}, {"name": "backup"}], "audioImage": {"pullPolicy": "Always"}}
    given = environment(values)
    assert given["SHOWSTOPPER_AUDIO_PULL_SECRETS"] == "mirror,backup"
    assert given["SHOWSTOPPER_AUDIO_PULL_POLICY"] == "Always"
    assert "SHOWSTOPPER_AUDIO_PULL_SECRETS" not in environment({})


def test_people_with_view_and_edit_get_our_kinds(objects: list[Object]) -> None:
    view, edit = (one(objects, "ClusterRole", f"showstopper-{name}") for name in ("view", "edit"))
    assert {verb for _, _, verb in allowed(view)} == {"get", "list", "watch"}
    assert {resource for _, resource, _ in allowed(view)} == OURS
    assert ("showstopper.dev", "experimentruns", "create") not in allowed(edit)  # only the operator writes records
    assert not {resource for _, resource, _ in allowed(edit)} - OURS
    approve = one(objects, "ClusterRole", "showstopper-approve")
    assert ("showstopper.dev", "gamedays", "approve") not in allowed(edit)
    for role, names in ((view, "view edit admin"), (edit, "edit admin"), (approve, "admin")):
        labels = role["metadata"]["labels"]
        given = {label.rpartition("-to-")[2] for label in labels if "aggregate-to-" in label}
        assert given == set(names.split())


def test_one_operator_runs_at_a_time(objects: list[Object]) -> None:
    spec = one(objects, "Deployment", "showstopper-operator")["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}


def test_the_operator_is_told_who_it_is_and_what_to_run(objects: list[Object]) -> None:
    spec = pod_specs(
        render("showstopper", {"audioImage": {"repository": "r/audio", "tag": "t", "pullPolicy": "Never"}})
    )
    (container,) = spec["showstopper-operator"]["containers"]
    fields = {
        each["name"]: each["valueFrom"]["fieldRef"]["fieldPath"] for each in container["env"] if "valueFrom" in each
    }
    values = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    assert container["command"] == ["showstopper", "operator"]
    assert fields == {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "POD_UID": "metadata.uid"}
    assert values == {
        "SHOWSTOPPER_AUDIO_IMAGE": "r/audio:t",
        "SHOWSTOPPER_AUDIO_PULL_POLICY": "Never",
        "SHOWSTOPPER_AGENT_NAMESPACE": "showstopper-agent",
        "SHOWSTOPPER_ARCHIVE_URL": "http://showstopper-archive.there.svc:8080",
        "SHOWSTOPPER_LOG_LEVEL": "info",
    }
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}


@pytest.mark.parametrize("keep", [True, False])
def test_the_crds_are_the_models_and_are_kept_if_asked(keep: bool) -> None:
    objects = render("showstopper", {"crds": {"keep": keep}})
    for kind in crds.KINDS:
        expected = crds.crd(kind)
        rendered = one(objects, "CustomResourceDefinition", expected["metadata"]["name"])
        assert rendered["spec"] == expected["spec"]
        kept: Any = rendered["metadata"].get("annotations", {}).get("helm.sh/resource-policy")
        assert kept == ("keep" if keep else None)


def test_the_crds_can_be_left_out() -> None:
    assert not [each for each in render("showstopper", {"crds": {"enabled": False}}) if "Definition" in each["kind"]]


def test_monitor_and_policy_select_the_operator() -> None:
    objects = render("showstopper", {"metrics": {"podMonitor": {"enabled": True}}, "networkPolicy": {"enabled": True}})
    labels = one(objects, "Deployment", "showstopper-operator")["spec"]["template"]["metadata"]["labels"]
    policy = one(objects, "NetworkPolicy", "showstopper-operator")["spec"]
    monitor = one(objects, "PodMonitor", "showstopper-operator")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert monitor["podMetricsEndpoints"] == [{"port": "http", "path": "/metrics", "interval": "30s"}]
    assert policy["ingress"] == [{"ports": [{"protocol": "TCP", "port": "http"}]}]
    kinds = {each["kind"] for each in render("showstopper")}
    assert not kinds & {"PodMonitor", "NetworkPolicy"}


@pytest.mark.apiserver
def test_rbac_lets_the_operator_do_its_work_and_nothing_else(server: ApiServer) -> None:
    for each in render("showstopper", {}, "--set=crds.enabled=false"):
        if each["kind"] in {"Namespace", "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"}:
            server.kubectl("apply", "-f", "-", stdin=json.dumps(each))
    operator = server.user("system:serviceaccount:there:showstopper-operator")

    def may(*question: str) -> bool:
        answered = server.kubectl(
            "create",
            "--raw=/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            "-f",
            "-",
            stdin=_review(*question),
            kubeconfig=operator,
        )
        return bool(json.loads(answered)["status"]["allowed"])

    assert may("delete", "", "pods", "anywhere")
    assert may("update", "showstopper.dev", "experimentruns/status", "anywhere")
    assert may("patch", "coordination.k8s.io", "leases", "there", "showstopper")
    assert not may("patch", "coordination.k8s.io", "leases", "there", "another")
    assert not may("patch", "coordination.k8s.io", "leases", "anywhere", "showstopper")
    assert may("watch", "", "configmaps", "showstopper-agent", STOP_SWITCH)
    assert not may("watch", "", "configmaps", "showstopper-agent", "another")
    assert may("bind", RBAC, "clusterroles", "", "showstopper-host")
    assert not may("bind", RBAC, "clusterroles", "", "admin")
    assert not may("get", "", "secrets", "there")
    assert not may("create", "", "pods", "there")
    assert not may("update", "showstopper.dev", "experimentruns", "anywhere")


def _review(verb: str, group: str, resource: str, namespace: str, name: str = "") -> str:
    resource, _, subresource = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": resource, "subresource": subresource, "namespace": namespace}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    return json.dumps({**body, "spec": {"resourceAttributes": {**asked, "name": name}}})


@pytest.mark.apiserver
def test_an_install_says_how_to_verify_it(server: ApiServer) -> None:
    done = helm(
        "install",
        "x",
        str(CHARTS / "showstopper"),
        "--namespace=there",
        "--dry-run=server",
        "--set=crds.enabled=false",
        "--take-ownership",
        kubeconfig=server.kubeconfig,
    )
    assert done.returncode == 0, done.stderr
    assert "kubectl --namespace there rollout status deployment/showstopper-operator" in done.stdout
    assert "showstopper.dev/chaos=allowed" in done.stdout


def test_argo_cd_is_told_of_every_kind_that_people_apply() -> None:
    config_map = one(
        render("showstopper", {"argocd": {"healthScripts": True}}), "ConfigMap", "showstopper-argocd-health"
    )
    assert {key.rpartition("_")[2] for key in config_map["data"]} == {
        kind.kind for kind in crds.KINDS if kind is not Injection
    }
    assert {text.strip() for text in config_map["data"].values()} == {HEALTH.read_text().strip()}
    example = yaml.safe_load((paths.PROJECT / "examples/gitops/argocd/argocd-cm.yaml").read_text())
    assert set(example["data"]) == set(config_map["data"]), "the docs call them the same"
