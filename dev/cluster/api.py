"""What tests, demos and benches use of a cluster: get one, whichever it is, with our images in it.

::

    cluster = api.ensure_up()
    cluster.run_kubectl("apply", "-f", "examples/")
    cluster.run_helm("upgrade", "--install", "stage", "charts/audio-room")
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.cluster import builds, commands, elsewhere, errors, images, inside, paths, stores, supervisor


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster. `images` maps control, audio, livekit and redis to references that its nodes have."""

    kubeconfig: Path
    kubectl: Path
    helm: Path
    images: dict[str, str]

    @property
    def is_embedded(self) -> bool:
        """Whether control plane and nodes share the processors of this machine."""
        return self.kubeconfig == paths.kubeconfig()

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to talk to this cluster and no other."""
        return paths.client_environment(self.kubeconfig)

    def run_kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl printed. Raises CommandError with what it said."""
        return commands.run([str(self.kubectl), *arguments], stdin=stdin, env=self.environment)

    def run_helm(self, *arguments: str) -> str:
        """What helm printed. Raises CommandError with what it said."""
        return commands.run([str(self.helm), *arguments], env=self.environment)

    def get(self, *arguments: str) -> dict[str, Any]:
        """What `kubectl get ... -o json` says."""
        document: dict[str, Any] = json.loads(self.run_kubectl("get", *arguments, "--output=json"))
        return document

    def pod(self, namespace: str, name: str) -> Pod:
        """A pod as the machine sees it, for looking into it and killing it past Kubernetes."""
        pod = self.get("--namespace", namespace, "pod", name)
        statuses = pod["status"].get("containerStatuses", [])
        containers = {each["name"]: each["containerID"] for each in statuses if each.get("containerID")}
        return Pod(pod["metadata"]["uid"], pod["status"].get("podIP", ""), pod["spec"]["nodeName"], containers)


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod at the moment of asking: after a container's restart, ask again. `containers` maps names to ids."""

    uid: str
    address: str
    node: str
    containers: dict[str, str]

    @property
    def namespace_file(self) -> Path:
        """The file of its network namespace, as `nsenter --net=` and setns(2) take it."""
        return inside.pod_namespace(self.uid)

    def processes(self, container: str) -> list[int]:
        """The ids, on the machine, of a container's processes, its first process first."""
        return inside.container_processes(self.uid, self.containers[container])

    def kill(self, container: str) -> int:
        """SIGKILL a container's first process, past the kubelet. Its id on the machine."""
        return inside.kill_container(self.uid, self.containers[container])


def ensure_up(*, with_images: bool = True) -> Cluster:
    """The cluster of this machine (see `elsewhere.choose`), started if it does not run, with images of the sources now.

    Raises a ClusterError whose message says what is missing or what failed.
    """
    match elsewhere.find():
        case elsewhere.Where.EMBEDDED:
            return ensure_embedded(with_images=with_images)
        case elsewhere.Where.KIND:
            kubeconfig = elsewhere.kind_up()
            references = elsewhere.kind_images() if with_images else {}
        case elsewhere.Where.CONTEXT:
            kubeconfig = elsewhere.context_kubeconfig(os.environ["SHOWSTOPPER_CONTEXT"])
            references = elsewhere.context_images() if with_images else {}
    return Cluster(kubeconfig, elsewhere.client("kubectl"), elsewhere.client("helm"), references)


def down() -> None:
    """Take the cluster down that `ensure_up` starts here. A named context is not ours to take down."""
    match elsewhere.find():
        case elsewhere.Where.EMBEDDED:
            supervisor.down()
        case elsewhere.Where.KIND:
            elsewhere.kind_down()
        case elsewhere.Where.CONTEXT:
            raise errors.ConflictError("the cluster of SHOWSTOPPER_CONTEXT is not ours to take down")


def ensure_embedded(*, with_images: bool = True) -> Cluster:
    """The embedded cluster, whatever else there is: for tests that look into pods from the machine."""
    supervisor.up()
    built = [images.ensure(recipe) for recipe in images.STAGE] if with_images else []
    stores.load(built)
    binaries = builds.ensure(builds.CLUSTER).parent
    references = {image.name: image.reference for image in built}
    return Cluster(paths.kubeconfig(), binaries / "kubectl", binaries / "helm", references)
