"""The embedded cluster is a real one: what people and the operator ask of Kubernetes works on it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from dev.cluster import addresses, api, commands, dns, errors, images, inside, stores, waiting
from tests.support.staged_room import WORKER

pytestmark = pytest.mark.cluster

NAMESPACE = f"embedded-cluster-test-{WORKER}"
STARTUP_SECONDS = 180

MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: NAMESPACE}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule,
         labelSelector: {matchLabels: {app: web}}}
      containers:
      - name: web
        image: IMAGE
        command: [python3, -m, http.server, "8090", --directory, /etc]
        readinessProbe: {tcpSocket: {port: 8090}, periodSeconds: 1}
        securityContext: {readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: {drop: [ALL]}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: NAMESPACE}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8090}]}
"""

FETCH = """
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode().strip())
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[api.Cluster]:
    """The cluster with two pods of a small web server, one a node. Each serves its own name at /hostname."""
    embedded = api.ensure_embedded(with_images=False)
    redis = images.ensure(images.REDIS)  # Debian with Python: the smallest of ours that can serve
    stores.load([redis])
    embedded.run_kubectl(
        "apply", "-f", "-", stdin=MANIFEST.replace("NAMESPACE", NAMESPACE).replace("IMAGE", redis.reference)
    )
    embedded.run_kubectl("-n", NAMESPACE, "rollout", "status", "deployment/web", f"--timeout={STARTUP_SECONDS}s")
    yield embedded
    embedded.run_kubectl("delete", "namespace", NAMESPACE)


def pods(cluster: api.Cluster) -> list[tuple[str, api.Pod]]:
    """The web pods by name, in the order of their nodes."""
    names = [each["metadata"]["name"] for each in cluster.get("-n", NAMESPACE, "pods", "-l", "app=web")["items"]]
    return sorted(((name, cluster.pod(NAMESPACE, name)) for name in names), key=lambda pair: pair[1].node)


def fetch_from(cluster: api.Cluster, pod: str, url: str) -> str:
    """What a pod gets from a URL."""
    return cluster.run_kubectl("-n", NAMESPACE, "exec", pod, "--", "python3", "-c", FETCH, url).strip()


def test_pods_spread_over_two_nodes(cluster: api.Cluster) -> None:
    assert [pod.node for _, pod in pods(cluster)] == ["node1", "node2"]


def test_pods_reach_each_other_across_nodes_by_address_and_by_service(cluster: api.Cluster) -> None:
    (first, _), (second, there) = pods(cluster)
    assert fetch_from(cluster, first, f"http://{there.address}:8090/hostname") == second
    answers = {fetch_from(cluster, first, "http://web/hostname") for _ in range(20)}
    assert answers == {first, second}  # twenty times the same of two: once in half a million


def test_logs_and_exec(cluster: api.Cluster) -> None:
    (pod, _), _ = pods(cluster)
    fetch_from(cluster, pod, "http://127.0.0.1:8090/hostname")
    waiting.until(
        lambda: '"GET /hostname' in cluster.run_kubectl("-n", NAMESPACE, "logs", pod),
        "the request is not in the log",
        seconds=60,
    )
    assert cluster.run_kubectl("-n", NAMESPACE, "exec", pod, "--", "id", "-u").strip() == "65532"


def test_the_api_server_reaches_pods_and_services(cluster: api.Cluster) -> None:
    (first, _), (second, _) = pods(cluster)
    prefix = f"/api/v1/namespaces/{NAMESPACE}"
    for name in (first, second):
        assert cluster.run_kubectl("get", "--raw", f"{prefix}/pods/{name}:8090/proxy/hostname").strip() == name
    assert cluster.run_kubectl("get", "--raw", f"{prefix}/services/web:80/proxy/hostname").strip() in {first, second}
    # as an admission webhook is called: at the cluster IP, from the control plane's own namespace
    address = cluster.get("-n", NAMESPACE, "service", "web")["spec"]["clusterIP"]
    code = ["python3", "-c", FETCH, f"http://{address}/hostname"]
    assert inside.run_in(addresses.CONTROL.namespace_file, code).strip() in {first, second}


def test_port_forward(cluster: api.Cluster) -> None:
    (pod, _), _ = pods(cluster)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(cluster.kubectl), "-n", NAMESPACE, "port-forward", pod, f"{port}:8090"]
    environment = {**os.environ, **cluster.environment}  # without a HOME kubectl would keep its cache right here
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        assert "Forwarding" in forward.stdout.readline()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/hostname", timeout=30) as answer:
            assert answer.read().decode().strip() == pod
        forward.terminate()


@pytest.mark.parametrize("member", addresses.MEMBERS, ids=lambda member: member.name)
def test_cluster_dns_answers_everywhere(cluster: api.Cluster, member: addresses.Member) -> None:
    name = f"web.{NAMESPACE}.svc.{addresses.DOMAIN}"
    service = cluster.get("-n", NAMESPACE, "service", "web")["spec"]["clusterIP"]
    waiting.until(
        lambda: dns.lookup(member.namespace_file, addresses.DNS_SERVICE, name) == [service],
        f"{name} has no address in {member.name}",
        seconds=60,
    )


def test_nothing_leaves_the_machine(cluster: api.Cluster) -> None:
    (pod, _), _ = pods(cluster)
    for address in ("192.0.2.77", "198.18.77.77", "1.1.1.1"):
        with pytest.raises(errors.CommandError, match=r"No route to host|unreachable|timed out"):
            fetch_from(cluster, pod, f"http://{address}/")
    with contextlib.closing(socket.socket()) as ours, pytest.raises(OSError, match="Invalid argument"):
        ours.connect(("198.18.77.77", 80))  # the machine itself: the blackhole behind the cluster's routes


def test_a_killed_container_is_found_and_comes_back(cluster: api.Cluster) -> None:
    name, pod = pods(cluster)[0]
    assert pod.address in inside.run_in(pod.namespace_file, ["ip", "-4", "-brief", "address"])
    process = pod.kill("web")
    waiting.until(lambda: not inside.is_running(process), "the process is not dead", seconds=60)

    def restarted() -> bool:
        now = cluster.pod(NAMESPACE, name)
        return now.containers != pod.containers and bool(now.processes("web"))

    waiting.until(restarted, "the container does not come back", seconds=STARTUP_SECONDS, every=0.5)
    cluster.run_kubectl("-n", NAMESPACE, "rollout", "status", "deployment/web", f"--timeout={STARTUP_SECONDS}s")


def test_a_rollout_replaces_all_pods(cluster: api.Cluster) -> None:
    before = {pod.uid for _, pod in pods(cluster)}
    cluster.run_kubectl("-n", NAMESPACE, "rollout", "restart", "deployment/web")
    cluster.run_kubectl("-n", NAMESPACE, "rollout", "status", "deployment/web", f"--timeout={STARTUP_SECONDS}s")
    waiting.until(lambda: len(pods(cluster)) == 2, "old pods stay", seconds=STARTUP_SECONDS, every=0.5)
    assert before.isdisjoint(pod.uid for _, pod in pods(cluster))


def test_a_second_start_does_nothing(cluster: api.Cluster) -> None:
    before = {pod.uid for _, pod in pods(cluster)}
    api.ensure_embedded(with_images=False)
    assert {pod.uid for _, pod in pods(cluster)} == before


def test_helm_talks_to_it(cluster: api.Cluster) -> None:
    assert cluster.run_helm("list", "--all-namespaces").startswith("NAME")
    assert "v4." in commands.run([str(cluster.helm), "version", "--short"])
