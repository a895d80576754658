"""Two nodes share nothing: no path, no address, no cgroup."""

from pathlib import Path

import yaml

from dev.cluster import addresses, node

ONE, TWO = addresses.WORKERS


def folders(name: str) -> node.Folders:
    return node.Folders(Path("/run/showstopper") / name, Path("/cache/nodes") / name)


def texts(member: addresses.Member) -> str:
    places = folders(member.name)
    pki = Path("/run/showstopper/pki")
    kubelet = node.kubelet(member, places, pki / "ca.crt", pki / f"{member.name}.crt", pki / f"{member.name}.key")
    parts = (kubelet, node.cni(member, places), node.kube_proxy(member.name, places.run / "kube-proxy.kubeconfig"))
    return (
        node.containerd(places, "pause:1") + yaml.safe_dump_all(parts) + " ".join(node.kubelet_command(member, places))
    )


def test_nothing_of_one_node_names_the_other() -> None:
    assert "node2" not in texts(ONE)
    assert "node1" not in texts(TWO)
    assert TWO.address not in texts(ONE)


def test_every_fixed_path_gets_a_folder_of_the_node() -> None:
    ours = [source for source, _ in node.binds(folders("node1"))]
    assert all(path.is_relative_to("/run/showstopper/node1") for path in ours)
    assert len(set(ours)) == len(ours)


def test_the_image_store_outlives_the_run_folder() -> None:
    assert not folders("node1").images.is_relative_to(folders("node1").run)


def test_socket_paths_fit_into_a_socket_address() -> None:
    assert len(str(folders("node1").socket)) <= 107


def test_pods_take_the_whole_subnet_of_their_node() -> None:
    plugin = node.cni(TWO, folders("node2"))["plugins"][0]
    assert plugin["ipam"]["ranges"] == [[{"subnet": TWO.pods}]]
    assert plugin["hairpinMode"] is True
    assert plugin["ipMasq"] is False
