"""The archive in the operator's chart: what it may read, where it keeps, and who may ask it."""

import itertools
from typing import Any

import pytest

from showstopper.archive import reading
from tests.charts.helm import Object, one, pod_specs, render
from tests.charts.test_operator import allowed

pytestmark = pytest.mark.charts
ARCHIVE = "showstopper-archive"


def pod(**archive: Any) -> Object:
    return pod_specs(render("showstopper", {"archive": archive}))[ARCHIVE]


def environment(spec: Object) -> dict[str, Any]:
    (container,) = spec["containers"]
    return {each["name"]: each.get("value") or each["valueFrom"] for each in container["env"]}


def volumes(spec: Object) -> dict[str, Object]:
    return {each["name"]: {key: value for key, value in each.items() if key != "name"} for each in spec["volumes"]}


def test_it_reads_runs_and_finds_pods_and_nothing_else() -> None:
    objects = render("showstopper")
    role = allowed(one(objects, "ClusterRole", ARCHIVE))
    assert role == set(itertools.product(["showstopper.dev"], ["experimentruns"], ["list", "watch"])) | set(
        itertools.product([""], ["pods"], ["list", "watch"])
    )
    (subject,) = one(objects, "ClusterRoleBinding", ARCHIVE)["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": ARCHIVE, "namespace": "there"}
    assert pod()["serviceAccountName"] == ARCHIVE


def test_by_default_it_keeps_sqlite_as_long_as_its_pod_lives() -> None:
    spec = pod()
    assert environment(spec) == {
        "SHOWSTOPPER_DATABASE_URL": "sqlite:////var/lib/showstopper/archive.db",
        "SHOWSTOPPER_RETENTION": "2160h",
        "SHOWSTOPPER_IDLE_RETENTION": "168h",
        "SHOWSTOPPER_LOG_LEVEL": "info",
    }
    assert volumes(spec)["archive"] == {"emptyDir": {"sizeLimit": "2Gi"}}
    mounts = {each["name"]: each["mountPath"] for each in spec["containers"][0]["volumeMounts"]}
    assert mounts["archive"] == "/var/lib/showstopper"
    assert not [each for each in render("showstopper") if each["kind"] == "PersistentVolumeClaim"]


def test_on_a_volume_it_outlives_its_pod_and_the_release() -> None:
    objects = render(
        "showstopper", {"archive": {"persistence": {"enabled": True, "size": "9Gi", "storageClassName": "fast"}}}
    )
    claim = one(objects, "PersistentVolumeClaim", ARCHIVE)
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"]["resources"]["requests"]["storage"] == "9Gi"
    assert claim["spec"]["storageClassName"] == "fast"
    assert volumes(pod_specs(objects)[ARCHIVE])["archive"] == {"persistentVolumeClaim": {"claimName": ARCHIVE}}
    own = {"persistence": {"enabled": True, "existingClaim": "mine"}}
    assert volumes(pod(**own))["archive"] == {"persistentVolumeClaim": {"claimName": "mine"}}
    assert not [each for each in render("showstopper", {"archive": own}) if each["kind"] == "PersistentVolumeClaim"]


def test_a_postgresql_is_named_by_a_secret_and_needs_no_volume() -> None:
    spec = pod(database={"existingSecret": "pg", "key": "uri"}, persistence={"enabled": True})
    assert environment(spec)["SHOWSTOPPER_DATABASE_URL"] == {"secretKeyRef": {"name": "pg", "key": "uri"}}
    assert set(volumes(spec)) == {"tmp"}


def test_it_is_found_where_people_and_the_operator_look_for_it() -> None:
    objects = render("showstopper")
    service = one(objects, "Service", reading.SERVICE_NAME)
    assert [port["name"] for port in service["spec"]["ports"]] == [reading.PORT_NAME]
    operator = environment(pod_specs(objects)["showstopper-operator"])
    assert operator["SHOWSTOPPER_ARCHIVE_URL"] == "http://showstopper-archive.there.svc:8080"


def test_who_may_read_it_is_named_and_may_nothing_else() -> None:
    readers = [{"kind": "Group", "name": "audio", "apiGroup": "rbac.authorization.k8s.io"}]
    objects = render("showstopper", {"archive": {"readers": readers}})
    role = one(objects, "Role", "showstopper-archive-reader")
    (rule,) = role["rules"]
    assert rule["resourceNames"] == [f"{reading.SERVICE_NAME}:{reading.PORT_NAME}"]
    assert allowed(role) == {("", "services/proxy", "get")}
    assert one(objects, "RoleBinding", "showstopper-archive-reader")["subjects"] == readers
    assert not [each for each in render("showstopper") if each["kind"] == "RoleBinding" and "archive" in str(each)]


def test_it_can_be_left_out_and_then_nobody_looks_for_it() -> None:
    objects = render("showstopper", {"archive": {"enabled": False}})
    assert not [each for each in objects if "archive" in each["metadata"]["name"]]
    assert "SHOWSTOPPER_ARCHIVE_URL" not in environment(pod_specs(objects)["showstopper-operator"])


def test_a_policy_lets_in_the_operator_beside_whom_it_names() -> None:
    given = {"networkPolicy": {"enabled": True, "from": [{"namespaceSelector": {}}]}}
    objects = render("showstopper", given)
    (rule,) = one(objects, "NetworkPolicy", ARCHIVE)["spec"]["ingress"]
    operator = one(objects, "Deployment", "showstopper-operator")["spec"]["selector"]
    assert rule["from"] == [{"podSelector": operator}, {"namespaceSelector": {}}]
