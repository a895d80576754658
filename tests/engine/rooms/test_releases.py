"""Releases: images are told apart by their digests, and by nothing else that could be pushed again."""

from showstopper.engine.rooms import releases
from showstopper.engine.rooms.releases import DeployedReleases
from tests.support.gate_build import image


def test_a_release_is_its_digests() -> None:
    good = releases.of([image("sha256:1"), image("sha256:2", "store")])
    assert good == releases.of([image("sha256:2", "store"), image("sha256:1")])
    assert good.settled
    assert good.identity == releases.of([image("sha256:2", "store"), image("sha256:1")]).identity
    assert good.identity != releases.of([image("sha256:1")]).identity
    assert releases.of([image("sha256:1"), image("sha256:2", "store")], ["relay"]) == releases.of([image("sha256:1")])


def test_nothing_is_settled_while_a_component_runs_two_images_or_one_that_is_not_known() -> None:
    assert not releases.of([image("sha256:1"), image("sha256:2")]).settled
    assert not releases.of([image("")]).settled
    assert not releases.of([]).settled


def test_what_comes_in_between_is_a_change_and_a_pod_that_starts_is_not() -> None:
    before = [image("sha256:1")]
    assert releases.change(before, before) is None
    assert releases.change(before, [*before, image("")]) is None, "the same image, whose pod has not started"
    assert releases.change(before, []) is None, "a pod that is being replaced"
    assert releases.change(before, [image("sha256:2")]) == "component relay runs relay:1 sha256:2"
    assert releases.change(before, [image("sha256:1", "store")]) is not None
    other = image("").model_copy(update={"image": "relay:2"})
    assert releases.change(before, [other]) == "component relay runs relay:2"


def test_a_rollout_is_waited_for() -> None:
    moving = "Deployment relay is being rolled out"
    assert DeployedReleases((image("sha256:1"),), moving).unsettled == moving
    assert DeployedReleases((image("sha256:1"), image("sha256:2"))).unsettled
    assert DeployedReleases((image("sha256:1"),)).unsettled is None
    assert DeployedReleases(()).unsettled is None, "somebody else's room, of which no pod is known"


def test_a_changed_pod_template_is_another_release_and_one_that_is_not_known_is_no_change() -> None:
    first, second = (image("sha256:1").model_copy(update={"template": template}) for template in ("t1", "t2"))
    assert releases.of([first]) != releases.of([second])
    assert releases.of([first]).identity != releases.of([second]).identity
    assert releases.of([first], with_templates=False) == releases.of([second], with_templates=False)
    assert releases.change([first], [second]) == "the pod template of component relay changed"
    assert releases.change([first], [image("sha256:1")]) is None
    moving = first.model_copy(update={"template": "mixedt1"})
    assert not releases.of([moving]).settled
    assert releases.change([first], [moving]) is None, "a relay that is killed, and is not back yet"


def test_a_release_that_something_is_on_its_way_to_has_no_identity_yet() -> None:
    images = (image("sha256:1"),)
    assert DeployedReleases(images).identity == releases.of(images).identity
    assert DeployedReleases(images, draining="pod relay-old has not ended yet").identity is None
    assert DeployedReleases(images, moving="Deployment relay is being rolled out").identity is None
    assert DeployedReleases(images, held="Deployment relay is paused").identity is None
    assert DeployedReleases((*images, image("sha256:2"))).identity is None


def test_a_pod_that_starts_beside_one_of_its_image_is_no_other_release() -> None:
    first = image("sha256:1")
    assert releases.started([first, image(""), image("", "store")]) == (first, image("", "store"))
    other = image("").model_copy(update={"image": "relay:2"})
    assert releases.started([first, other]) == (first, other)


def test_two_images_of_one_container_are_side_by_side_and_a_pod_that_starts_is_not() -> None:
    same = [image("sha256:1"), image(""), image("sha256:2", "store")]
    assert releases.side_by_side(same) is None
    assert releases.side_by_side([image("")]) is None
    told = releases.side_by_side([*same, image("sha256:3")])
    assert told is not None
    assert told.startswith("container relay of component relay runs relay:1 sha256:1, ")
    other = image("").model_copy(update={"image": "relay:2"})
    assert releases.side_by_side([*same, other]) is not None, "another image, whose pod has not started"
