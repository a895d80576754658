"""A node: the configuration of its containerd, CNI, kubelet and kube-proxy. Pure: names and folders in, texts out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.cluster import addresses, cgroups
from dev.cluster.addresses import Member

CNI_PLUGINS = Path("/usr/lib/cni")
"""Where Debian's containernetworking-plugins are."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a node keeps its files: `run` ends with the cluster, `store` (images) stays."""

    run: Path
    store: Path

    @property
    def socket(self) -> Path:
        """The socket of the node's containerd."""
        return self.run / "containerd.sock"

    @property
    def images(self) -> Path:
        """The root of the node's containerd."""
        return self.store / "containerd"


def binds(folders: Folders) -> list[tuple[Path, Path]]:
    """(ours, fixed path): paths compiled into kubelet, containerd and libcni get a folder of the node's own."""
    return [
        (folders.run / "kubelet", Path("/var/lib/kubelet")),  # device plugins
        (folders.run / "shims", Path("/run/containerd")),  # containerd's shims, runc
        (folders.run / "cni-results", Path("/var/lib/cni")),
        (folders.run / "container-logs", Path("/var/log/containers")),
    ]


def containerd(folders: Folders, pause_image: str) -> str:
    """The configuration of containerd (TOML)."""
    return f"""\
version = 2
root = "{folders.images}"
state = "{folders.run / "containerd"}"

[grpc]
  address = "{folders.socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{folders.run / "opt"}"

[plugins."io.containerd.grpc.v1.cri"]
  # without CAP_SYS_RESOURCE runc cannot lower a score: "can't get final child's PID from pipe: EOF"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  sandbox_image = "{pause_image}"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{folders.run / "cni"}"
"""


def cni(member: Member, folders: Folders) -> dict[str, Any]:
    """The pod network: a bridge a node. Addresses go unchanged from node to node, so nothing is masqueraded."""
    addressing = {
        "type": "host-local",
        "dataDir": str(folders.run / "cni-addresses"),
        "ranges": [[{"subnet": member.pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,  # a pod may reach itself through its own service
        "ipMasq": False,
        "ipam": addressing,
    }
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}


def kubelet(member: Member, folders: Folders, authority: Path, certificate: Path, key: Path) -> dict[str, Any]:
    """The configuration of kubelet."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": member.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(authority)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(certificate),
        "tlsPrivateKeyFile": str(key),
        "containerRuntimeEndpoint": f"unix://{folders.socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroups.ROOT}/{member.name}",
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [addresses.DNS_SERVICE],
        "clusterDomain": addresses.DOMAIN,
        "resolvConf": str(folders.run / "resolv.conf"),
        "podLogsDir": str(folders.run / "pod-logs"),
        "volumePluginDir": str(folders.run / "volume-plugins"),
        # the machine's disk is not the cluster's to police: no eviction, no image collection
        "evictionHard": {},
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": False,
        "nodeStatusUpdateFrequency": "5s",
        "serializeImagePulls": False,
    }


def kubelet_command(member: Member, folders: Folders) -> list[str]:
    """The arguments of kubelet."""
    return [
        "kubelet",
        f"--config={folders.run / 'kubelet.yaml'}",
        f"--kubeconfig={folders.run / 'kubelet.kubeconfig'}",
        f"--hostname-override={member.name}",
        f"--node-ip={member.address}",
    ]


def kube_proxy(node_name: str, kubeconfig: Path) -> dict[str, Any]:
    """The configuration of kube-proxy. `node_name` must be a node: it waits half a minute for one that is not there."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": addresses.PODS_AND_NODES,
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "hostnameOverride": node_name,
        # it may not write the machine's connection tracking limits, and need not
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
