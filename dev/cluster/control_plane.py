"""The command lines of etcd and the control plane's components. Pure: addresses and files in, arguments out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dev.cluster import pki


@dataclass(frozen=True, slots=True)
class Keys:
    """The certificates of a control plane."""

    authority: pki.Authority
    etcd: pki.Certificate
    etcd_client: pki.Certificate
    api_server: pki.Certificate
    kubelet_client: pki.Certificate
    admin: pki.Certificate
    controllers: pki.Certificate
    scheduler: pki.Certificate
    tokens: pki.Certificate


KUBELET_CLIENT = "kube-apiserver-kubelet-client"


def make_keys(folder: Path, hosts: tuple[str, ...]) -> Keys:
    """Issue all certificates of a control plane whose API server answers at `hosts`."""
    authority = pki.Authority(folder)
    names = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
    every_host = (*names, "kubernetes.default.svc.cluster.local", "127.0.0.1", *hosts)
    return Keys(
        authority=authority,
        etcd=authority.issue("etcd", "etcd", hosts=("localhost", "127.0.0.1")),
        etcd_client=authority.issue("etcd-client", "kube-apiserver-etcd-client"),
        api_server=authority.issue("api-server", "kube-apiserver", hosts=every_host),
        kubelet_client=authority.issue("kubelet-client", KUBELET_CLIENT),
        admin=authority.issue("admin", "admin", organizations=("system:masters",)),
        controllers=authority.issue("controllers", "system:kube-controller-manager"),
        scheduler=authority.issue("scheduler", "system:kube-scheduler"),
        tokens=authority.signing_key("tokens"),
    )


def etcd(keys: Keys, data: Path, client_port: int = 2379, peer_port: int = 2380) -> list[str]:
    """The arguments of etcd, on loopback. It does not fsync: the data of a test cluster may die with the machine."""
    client = f"https://127.0.0.1:{client_port}"
    peer = f"http://127.0.0.1:{peer_port}"
    return [
        "etcd",
        "--name=main",
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=main={peer}",
        "--unsafe-no-fsync",
        f"--cert-file={keys.etcd.certificate}",
        f"--key-file={keys.etcd.key}",
        "--client-cert-auth",
        f"--trusted-ca-file={keys.authority.certificate}",
        "--log-level=warn",
    ]


def api_server(keys: Keys, address: str, services: str, port: int = 6443, etcd_port: int = 2379) -> list[str]:
    """The arguments of kube-apiserver at `address`, with `services` as the range of cluster IPs."""
    authority = keys.authority.certificate
    return [
        "kube-apiserver",
        f"--bind-address={address}",
        f"--advertise-address={address}",
        f"--secure-port={port}",
        f"--etcd-servers=https://127.0.0.1:{etcd_port}",
        f"--etcd-cafile={authority}",
        f"--etcd-certfile={keys.etcd_client.certificate}",
        f"--etcd-keyfile={keys.etcd_client.key}",
        f"--client-ca-file={authority}",
        f"--tls-cert-file={keys.api_server.certificate}",
        f"--tls-private-key-file={keys.api_server.key}",
        f"--kubelet-certificate-authority={authority}",
        f"--kubelet-client-certificate={keys.kubelet_client.certificate}",
        f"--kubelet-client-key={keys.kubelet_client.key}",
        # node names are in no DNS: without this, logs and exec fail with "lookup node1: no such host"
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={keys.tokens.certificate}",
        f"--service-account-signing-key-file={keys.tokens.key}",
        f"--service-cluster-ip-range={services}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--anonymous-auth=false",
    ]


def controller_manager(keys: Keys, kubeconfig: Path) -> list[str]:
    """The arguments of kube-controller-manager. It is the only one, so it elects no leader."""
    return [
        "kube-controller-manager",
        f"--kubeconfig={kubeconfig}",
        f"--service-account-private-key-file={keys.tokens.key}",
        f"--root-ca-file={keys.authority.certificate}",
        "--use-service-account-credentials",
        # the controllers start one after another, each asking for its account: at 20 questions a second for 4 s
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--allocate-node-cidrs=false",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    ]


def scheduler(kubeconfig: Path) -> list[str]:
    """The arguments of kube-scheduler. It is the only one, so it elects no leader."""
    return [
        "kube-scheduler",
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    ]
