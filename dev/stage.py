"""The operator and a staged room on a cluster: `stage.install(api.ensure_up())`. `python -m dev.stage up|down`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dev.cluster import api, endings, errors, lock, paths, progress, waiting
from dev.cluster.api import Cluster

SYSTEM = "showstopper-system"
"""Namespace of the operator."""

AGENTS = "showstopper-agent"
"""Namespace of the agents."""

WITH_AGENTS = (
    "agent.enabled=true",
    "faults.configPush.enabled=true",
    "faults.nodeDrain.enabled=true",
    f"agent.stateDirectory={paths.RUN / 'agents'}",
)
"""Values for all faults. The journals of the agents go with the cluster's own files."""

SHOW = "show"
"""Namespace of the stage."""

EMBEDDED_SHARE = ["resources.requests.cpu=1"]
"""Two nodes and a control plane share this machine's processors: with the chart's small request the operator waits for
kubelets that replace a pod, just when it would read the answer to its delete call (p95 69 ms instead of 162)."""

ROOM = "main-stage"
METRICS_PORT = 6789
"""Of a relay, as the chart of the stage has it."""

OPERATOR_SECONDS = 120
ROOM_SECONDS = 240
NOTICED_SECONDS = 20
"""Within this a room whose relays are gone is no longer Ready."""

SPLIT_SECONDS = 60
"""How long a room is given to be well by itself. Clients that find another relay take 5 to 15 s."""


def install(cluster: Cluster, *, values: Iterable[str] = (), agents: bool = False) -> None:
    """Operator and stage. Returns when the listeners of the room hear the host.

    Args:
        cluster: where.
        values: more values for the stage's chart, as helm's --set takes them.
        agents: whether an agent is on every node, without which only faults by the API server are possible.
    """
    install_operator(cluster, agents=agents)
    install_stage(cluster, values=values)
    wait_for_room(cluster)


def install_operator(cluster: Cluster, *, agents: bool = False) -> None:
    """The operator and the resources' definitions, in the version of these sources. Returns when it leads.

    With agents, on each node. On a cluster that is not of this machine they have the chart's own place for journals,
    and nodes and ConfigMaps are left alone.
    """
    images = {"image": cluster.images["control"], "audioImage": cluster.images["audio"]}
    values = [*_image_values(images), *(EMBEDDED_SHARE if cluster.is_embedded else ())]
    if agents:
        values += WITH_AGENTS if cluster.is_embedded else ("agent.enabled=true",)
    with progress.step("Installing the operator"):
        ensure_namespace(cluster, SYSTEM)
        _helm(cluster, "showstopper", SYSTEM, values)
        wait_for_operator(cluster)
    if agents:
        wait_for_agents(cluster)


def wait_for_agents(cluster: Cluster) -> None:
    """Until an agent is ready on every node."""
    wanted = ["rollout", "status", "daemonset/showstopper-agent", f"--timeout={OPERATOR_SECONDS}s"]
    with progress.step("Waiting for the agents"):
        cluster.run_kubectl("--namespace", AGENTS, *wanted)


def wait_for_stage(cluster: Cluster, *workloads: str, namespace: str = SHOW) -> None:
    """Until new pods have taken the place of the old ones: those of the relays, and of other `workloads`.

    Old relays serve their listeners until their grace period is over. Until then no run begins.
    """
    with progress.step("Waiting for the stage's pods"):
        for workload in ("deployment/relay", *workloads):
            cluster.run_kubectl("--namespace", namespace, "rollout", "status", workload, f"--timeout={ROOM_SECONDS}s")
        waiting.until(
            lambda: not any("deletionTimestamp" in pod["metadata"] for pod in _pods(cluster, namespace, "relay")),
            f"relays in namespace {namespace} still end",
            seconds=ROOM_SECONDS,
        )


def wait_for_operator(cluster: Cluster) -> None:
    """Until the operator's newest pod is ready."""
    wanted = ["rollout", "status", "deployment/showstopper-operator", f"--timeout={OPERATOR_SECONDS}s"]
    cluster.run_kubectl("--namespace", SYSTEM, *wanted)


def install_stage(cluster: Cluster, *, namespace: str = SHOW, values: Iterable[str] = (), allowed: bool = True) -> None:
    """Relays, store, AudioRoom (and door, if `values` have it) in a namespace that allows experiments, or not."""
    images = {
        "relay.image": cluster.images["livekit"],
        "store.image": cluster.images["redis"],
        "door.image": cluster.images["audio"],
    }
    with progress.step(f"Installing the stage in namespace {namespace}"):
        ensure_namespace(cluster, namespace, {"showstopper.dev/chaos": "allowed"} if allowed else {})
        _helm(cluster, "audio-room", namespace, [*_image_values(images), *values], release="stage")


def remove_stage(cluster: Cluster, *, namespace: str = SHOW) -> None:
    """Relays, store, AudioRoom and its fleet are gone when it returns. The namespace stays."""
    _uninstall(cluster, "stage", namespace)


def wait_for_room(
    cluster: Cluster,
    *,
    namespace: str = SHOW,
    room: str = ROOM,
    seconds: float = ROOM_SECONDS,
    in_a_row: float = 0.0,
) -> None:
    """Until every listener of the room hears the host. Shows meanwhile what it still waits for.

    Whoever ran faults before may have left the room split for good: then the stage is started afresh.

    Args:
        cluster: where the room is.
        namespace: of the room.
        room: its name.
        seconds: to wait at the most.
        in_a_row: seconds for which they have to hear it. Where a relay has only just gone, its listeners are not
            missed yet.
    """
    try:
        _wait_for_room(cluster, namespace=namespace, room=room, seconds=min(seconds, SPLIT_SECONDS), in_a_row=in_a_row)
    except errors.ClusterError:
        if seconds <= SPLIT_SECONDS:
            raise
        start_afresh(cluster, namespace=namespace, room=room)
        _wait_for_room(cluster, namespace=namespace, room=room, seconds=seconds, in_a_row=in_a_row)


def start_afresh(cluster: Cluster, *, namespace: str = SHOW, room: str = ROOM) -> None:
    """New relays, and a store that knows nothing of the rooms of the old ones. Returns when listeners hear the host.

    In that order: whoever finds a new relay while the old store or an old relay is still there joins a room that the
    next one does not know of, and the room is split again. One relay comes first, and the others when everybody is on
    it: those who come back to two that start at once may split the room as well.
    """
    with progress.step("Starting the relays and the store afresh") as step:
        in_namespace = ("--namespace", namespace)
        relays = cluster.get(*in_namespace, "deployment", "relay")["spec"]["replicas"]
        step.say("ending the relays")
        cluster.run_kubectl(*in_namespace, "scale", "deployment/relay", "--replicas=0")
        _end_pods(cluster, namespace, "relay")
        step.say("starting a new store")
        old = _end_pods(cluster, namespace, "store")
        waiting.until(
            lambda: any(
                _is_ready(pod) and pod["metadata"]["uid"] not in old for pod in _pods(cluster, namespace, "store")
            ),
            f"no new store in namespace {namespace}",
            seconds=SPLIT_SECONDS,
        )
        cluster.run_kubectl(*in_namespace, "scale", "deployment/relay", "--replicas=1")
        step.say("waiting until the listeners notice")
        with contextlib.suppress(errors.NotReadyError):  # the new one may be there before anybody noticed
            waiting.until(
                lambda: not _is_ready(cluster.get("--namespace", namespace, "audioroom", room)),
                f"room {namespace}/{room} is heard all the time",
                seconds=NOTICED_SECONDS,
                every=0.5,
            )
        step.say("waiting until they hear the host again")
        try:
            waiting.until(
                lambda: _is_ready(cluster.get("--namespace", namespace, "audioroom", room)),
                f"room {namespace}/{room} is not heard over one relay",
                seconds=SPLIT_SECONDS,
                every=0.5,
            )
        finally:
            cluster.run_kubectl(*in_namespace, "scale", "deployment/relay", f"--replicas={relays}")


def _end_pods(cluster: Cluster, namespace: str, component: str) -> set[str]:
    """End the pods of a component at once. Returns their UIDs."""
    old = {pod["metadata"]["uid"] for pod in _pods(cluster, namespace, component)}
    doomed = ["delete", "pods", f"--selector=app.kubernetes.io/component={component}"]
    cluster.run_kubectl("--namespace", namespace, *doomed, "--force", "--grace-period=0", "--wait=false")
    return old


def _pods(cluster: Cluster, namespace: str, component: str) -> list[dict[str, Any]]:
    pods: list[dict[str, Any]] = cluster.get(
        "--namespace", namespace, "pods", f"--selector=app.kubernetes.io/component={component}"
    )["items"]
    return pods


def _is_ready(body: dict[str, Any]) -> bool:
    return _ready(body).get("status") == "True"


def _ready(body: dict[str, Any]) -> dict[str, str]:
    """A resource's condition of that name. Empty while there is none."""
    return next((each for each in body.get("status", {}).get("conditions") or [] if each["type"] == "Ready"), {})


def _wait_for_room(cluster: Cluster, *, namespace: str, room: str, seconds: float, in_a_row: float) -> None:
    with progress.step(f"Waiting until room {namespace}/{room} is heard") as step:
        heard_since: float | None = None

        def is_heard() -> bool:
            nonlocal heard_since
            resource = cluster.get("--namespace", namespace, "audioroom", room)
            status, generation = resource.get("status", {}), resource["metadata"]["generation"]
            ready = _ready(resource)
            step.say(ready.get("message", "the operator has not looked at it yet"))
            if ready.get("status") != "True" or status.get("observedGeneration") != generation:
                heard_since = None
                return False
            heard_since = heard_since or time.monotonic()
            return time.monotonic() - heard_since >= in_a_row

        try:
            waiting.until(is_heard, f"room {namespace}/{room} is not ready", seconds=seconds, every=0.5)
        except errors.NotReadyError as error:
            pods = cluster.run_kubectl("--namespace", namespace, "get", "pods", "--output=wide")
            said = cluster.run_kubectl("--namespace", SYSTEM, "logs", "deployment/showstopper-operator", "--tail=20")
            raise errors.ClusterError(f"{error}: {step.detail}\n{pods}\n{said}") from error


def ensure_namespace(cluster: Cluster, name: str, labels: dict[str, str] | None = None) -> None:
    """Have a namespace with exactly our labels on it."""
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels or {}}}
    apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=stage", "--filename=-"]
    cluster.run_kubectl(*apply, stdin=json.dumps(manifest))


def _helm(cluster: Cluster, chart: str, namespace: str, values: Iterable[str], *, release: str | None = None) -> None:
    """Install or upgrade. What an interrupted helm left pending is replaced."""
    place = [release or chart, str(paths.PROJECT / "charts" / chart), f"--namespace={namespace}"]
    sets = [word for value in values for word in ("--set-string" if "image" in value.lower() else "--set", value)]
    try:
        cluster.run_helm("upgrade", "--install", *place, *sets)
    except errors.CommandError as error:
        if "another operation" not in error.output:
            raise
        # Without the hook that ends runs and fleets first: all of it is back in a moment.
        cluster.run_helm("uninstall", release or chart, f"--namespace={namespace}", "--wait", "--no-hooks")
        cluster.run_helm("upgrade", "--install", *place, *sets)


def _image_values(images: dict[str, str]) -> list[str]:
    settings = []
    for value, reference in images.items():
        repository, _, tag = reference.rpartition(":")
        settings += [f"{value}.repository={repository}", f"{value}.tag={tag}"]
    return settings


def _uninstall(cluster: Cluster, release: str, namespace: str) -> None:
    with progress.step(f"Removing {release} from namespace {namespace}"):
        cluster.run_helm("uninstall", release, f"--namespace={namespace}", "--ignore-not-found", "--wait")


def environment(cluster: Cluster) -> str:
    """What a shell takes to find the cluster, kubectl, helm and our command."""
    places = dict.fromkeys((cluster.kubectl.parent, cluster.helm.parent, Path(sys.executable).parent))
    return f"export KUBECONFIG={cluster.kubeconfig} PATH=$PATH:{':'.join(map(str, places))}"


def down() -> None:
    """Take away what was started here. From a named context only our charts are removed: it is not our cluster."""
    if not os.environ.get("SHOWSTOPPER_CONTEXT"):
        api.down()
        return
    cluster = api.ensure_up(with_images=False)
    remove_stage(cluster)
    _uninstall(cluster, "showstopper", SYSTEM)


def main() -> None:
    """Run the command that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m dev.stage", description="The operator and a staged room.")
    parser.add_argument("command", choices=["up", "down"])
    parser.add_argument(
        "--agents", action="store_true", help="with agents, for faults of networks and processes, floods and storms"
    )
    arguments = parser.parse_args()
    if arguments.command == "down":
        down()
        return
    cluster = api.ensure_up()
    with lock.held("stage"):
        install(cluster, agents=arguments.agents)
    print(environment(cluster))


if __name__ == "__main__":
    sys.exit(endings.run(main))
