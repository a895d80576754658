"""What is forgotten on a node: our own old images that no container may need again."""

from dev.cluster import stores

OURS = "showstopper.local/control"
DIGESTS = {
    f"{OURS}:old": "sha256:a",
    "sha256:1": "sha256:a",
    f"{OURS}:used": "sha256:b",
    "sha256:2": "sha256:b",
    f"{OURS}:new": "sha256:c",
    "sha256:3": "sha256:c",
    "example.org/theirs:1": "sha256:d",
    "sha256:4": "sha256:d",
    "sha256:5": "sha256:e",
}


def test_only_our_images_that_nobody_keeps_or_uses_are_forgotten() -> None:
    assert stores.stale(DIGESTS, [f"{OURS}:new"], [f"{OURS}:used"]) == ["sha256:1", "sha256:5", f"{OURS}:old"]


def test_a_container_may_name_its_image_by_id() -> None:
    assert f"{OURS}:old" not in stores.stale(DIGESTS, [], ["sha256:1"])


def test_references_that_a_node_never_had_are_no_matter() -> None:
    assert stores.stale({}, [f"{OURS}:new"], [f"{OURS}:used"]) == []
