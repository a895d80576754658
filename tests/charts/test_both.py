"""What both charts promise: they lint, refuse unknown values, run restricted, and a real API server takes them."""

import json
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from tests.charts.helm import CHARTS, Object, helm, pod_specs, render, template

pytestmark = pytest.mark.charts
each_chart = pytest.mark.parametrize("chart", ["showstopper", "audio-room"])
DIGEST = "sha256:" + "0123456789abcdef" * 4

# Every optional part of the charts, so that it is rendered and applied too.
EVERYTHING: dict[str, dict[str, Any]] = {
    "showstopper": {
        "imagePullSecrets": [{"name": "pull"}],
        "podLabels": {"team": "audio"},
        "podAnnotations": {"note": "x"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "system", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "system-cluster-critical",
        "serviceAccount": {"name": "own", "annotations": {"note": "x"}},
        "networkPolicy": {"enabled": True, "from": [{"namespaceSelector": {}}]},
        "metrics": {"podMonitor": {"enabled": True}},
        "archive": {"persistence": {"enabled": True}, "readers": [{"kind": "User", "name": "ann"}]},
        "argocd": {"healthScripts": True},
    },
    "audio-room": {
        "imagePullSecrets": [{"name": "pull"}],
        "relay": {"replicas": 3, "resources": {"limits": {"cpu": "300m"}}},
        "door": {"enabled": True},
        "room": {"listeners": {"count": 12, "perPod": 4, "arrivals": {"every": "0s"}}, "program": {"host": "External"}},
    },
}


def containers(spec: Object) -> list[Object]:
    return [*spec["containers"], *spec.get("initContainers", [])]


@each_chart
def test_the_chart_lints(chart: str) -> None:
    done = helm("lint", "--strict", str(CHARTS / chart))
    assert done.returncode == 0, done.stdout + done.stderr


@each_chart
@pytest.mark.parametrize("values", [{}, "everything"], ids=["defaults", "everything"])
def test_every_pod_is_restricted(chart: str, values: Any) -> None:
    specs = pod_specs(render(chart, EVERYTHING[chart] if values else {}))
    assert specs
    for spec in specs.values():
        pod = spec["securityContext"]
        assert pod["runAsNonRoot"] is True
        assert pod["runAsUser"] == 65532
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        assert not [volume for volume in spec["volumes"] if "hostPath" in volume]
        for container in containers(spec):
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["readOnlyRootFilesystem"] is True
            assert own["capabilities"] == {"drop": ["ALL"]}


@each_chart
def test_every_container_has_a_memory_limit_requests_and_a_readiness_probe(chart: str) -> None:
    for spec in pod_specs(render(chart)).values():
        for container in containers(spec):
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            if spec.get("restartPolicy") != "Never":  # nobody asks a Job
                assert container["readinessProbe"]["periodSeconds"] <= 2


@each_chart
def test_every_object_says_whose_it_is(chart: str) -> None:
    for each in render(chart, EVERYTHING[chart]):
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == chart
        assert labels["app.kubernetes.io/instance"] == "release"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"


@each_chart
def test_a_selector_finds_its_own_pods_and_no_others(chart: str) -> None:
    objects = render(chart)
    pods = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in objects
        if each["kind"] == "Deployment"
    }
    for each in objects:
        if each["kind"] in {"Deployment", "Service"}:
            wanted = each["spec"]["selector"].get("matchLabels", each["spec"]["selector"])
            assert [name for name, labels in pods.items() if wanted.items() <= labels.items()] == [
                each["metadata"]["name"]
            ]


@pytest.mark.parametrize(
    ("chart", "values", "says"),
    [
        ("showstopper", {"replicas": 2}, "replicas"),
        ("showstopper", {"image": {"tags": "1"}}, "tags"),
        ("showstopper", {"image": {"digest": "sha256:12"}}, "digest"),
        ("showstopper", {"logLevel": "loud"}, "logLevel"),
        ("showstopper", {"crds": {"kept": True}}, "kept"),
        ("showstopper", {"agent": {"privileged": True}}, "privileged"),
        ("showstopper", {"agent": {"stateDirectory": "run"}}, "stateDirectory"),
        ("showstopper", {"archive": {"retention": "90d"}}, "retention"),
        ("showstopper", {"archive": {"persistence": {"size": "much"}}}, "size"),
        ("showstopper", {"archive": {"readers": ["ann"]}}, "readers"),
        ("audio-room", {"relays": 2}, "relays"),
        ("audio-room", {"relay": {"replicas": 0}}, "replicas"),
        ("audio-room", {"relay": {"image": {"pullPolicy": "Sometimes"}}}, "pullPolicy"),
        ("audio-room", {"relay": {"probes": "Some"}}, "probes"),
        ("audio-room", {"door": {"replicas": 0}}, "replicas"),
        ("audio-room", {"door": {"url": "http://relay:7880"}}, "url"),
        ("audio-room", {"door": {"rateLimit": {"perMinute": 1}}}, "perMinute"),
        ("audio-room", {"livekit": {"apiKey": ""}}, "apiKey"),
        ("audio-room", {"livekit": {"apiSecret": "mine"}}, "apiSecret"),
        ("audio-room", {"room": {"name": "Main Stage"}}, "name"),
        ("audio-room", {"room": {"listeners": {"residents": 3}}}, "residents"),
        ("audio-room", {"room": {"listeners": {"arrivals": {"every": "5"}}}}, "every"),
        ("audio-room", {"room": {"program": {"host": "Nobody"}}}, "host"),
    ],
    ids=str,
)
def test_values_that_mean_nothing_are_refused(chart: str, values: Object, says: str) -> None:
    done = template(chart, values)
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr
    assert says in done.stderr


@pytest.mark.parametrize(
    ("chart", "value", "deployment"),
    [
        ("showstopper", "image", "showstopper-operator"),
        ("showstopper", "image", "showstopper-archive"),
        ("audio-room", "relay", "relay"),
        ("audio-room", "store", "store"),
    ],
)
def test_images_go_by_tag_or_better_by_digest(chart: str, value: str, deployment: str) -> None:
    def image(**given: str) -> str:
        wanted = {"repository": "example.com/it", **given}
        values = {value: wanted if value == "image" else {"image": wanted}}
        return str(pod_specs(render(chart, values))[deployment]["containers"][0]["image"])

    assert image(tag="1.2") == "example.com/it:1.2"
    assert image(tag="1.2", digest=DIGEST) == f"example.com/it@{DIGEST}"


@pytest.mark.apiserver
@each_chart
@pytest.mark.parametrize("values", [{}, "everything"], ids=["defaults", "everything"])
def test_a_real_api_server_takes_all_of_it(server: ApiServer, chart: str, values: Any) -> None:
    objects = render(chart, EVERYTHING[chart] if values else {})
    # The Prometheus operator's kinds are not in this server.
    known = [each for each in objects if not each["apiVersion"].startswith("monitoring.coreos.com")]
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": known})
    # What is already there (the CRDs) has another owner: a test is not the place to argue about fields.
    options = ["--server-side", "--dry-run=server", "--force-conflicts"]
    for each in known:  # a dry run makes no namespace for what lives in it
        if each["kind"] == "Namespace":
            server.kubectl("apply", "-f", "-", stdin=json.dumps(each))
    server.kubectl("apply", *options, "-f", "-", stdin=manifest)


@pytest.mark.apiserver
@each_chart
def test_pod_security_has_nothing_against_the_pods(server: ApiServer, chart: str) -> None:
    for name, spec in pod_specs(render(chart)).items():
        alone = {key: value for key, value in spec.items() if key != "serviceAccountName"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "there"}, "spec": alone}
        server.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))


@each_chart
def test_kubernetes_that_is_too_old_is_refused(chart: str) -> None:
    done = template(chart, {}, "--kube-version=1.31.9")
    assert "incompatible with Kubernetes" in done.stderr
