"""A tag changes with everything that an image is made of, and with nothing else."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from dev.cluster import errors, images
from dev.cluster.images import Image, Recipe


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setattr(images, "SOURCES", tmp_path)
    return tmp_path


def recipe(*inputs: bytes) -> Recipe:
    return Recipe("thing", lambda: inputs, lambda _context: None)


def test_the_same_inputs_give_the_same_tag(source: Path) -> None:
    assert images.tag(recipe(b"a", b"b"), "base") == images.tag(recipe(b"a", b"b"), "base")


def test_every_input_counts(source: Path) -> None:
    before = images.tag(recipe(b"a", b"b"), "base")
    assert images.tag(recipe(b"a", b"c"), "base") != before
    assert images.tag(recipe(b"ab", b""), "base") != before
    assert images.tag(recipe(b"a", b"b"), "another base") != before
    (source / "thing" / "Dockerfile").write_text("FROM scratch\nUSER 1\n")
    assert images.tag(recipe(b"a", b"b"), "base") != before


def test_the_newest_of_each_name_stay() -> None:
    names = [f"r/{name}:{number}" for number in range(7) for name in ("control", "audio")]
    assert images.newest(names) == [f"r/{name}:{number}" for name in ("control", "audio") for number in (2, 3, 4, 5, 6)]


def test_a_reference_names_no_registry_that_exists() -> None:
    assert Image("control", "0123").reference == "showstopper.local/control:0123"


def stage(made: Recipe) -> list[str]:
    """The lines of the Dockerfile's stage that is the image."""
    stages = made.dockerfile.read_text().split("\nFROM ")[1:]
    wanted = [each for each in stages if not made.target or each.splitlines()[0].endswith(f" AS {made.target}")]
    return wanted[-1].splitlines()


@pytest.mark.parametrize("made", [*images.STAGE, images.PAUSE], ids=lambda made: made.name)
def test_every_image_runs_as_a_numbered_user_that_is_not_root(made: Recipe) -> None:
    users = [line.split()[1] for line in stage(made) if line.startswith("USER ")]
    assert users
    assert all(part.isdigit() and int(part) > 0 for part in users[-1].split(":"))


@pytest.mark.parametrize("made", [images.CONTROL, images.AUDIO], ids=lambda made: made.name)
def test_control_and_audio_share_all_layers_but_their_own_and_the_project_is_the_last(made: Recipe) -> None:
    lines = stage(made)
    assert lines[0] == f"common AS {made.name}"
    assert [line for line in lines if line][-1] == "COPY --from=project /opt/project /opt/project"


class Idle:
    """An engine that is asked for nothing but its base."""

    name = "idle"

    def base(self) -> str:
        return "base"

    def base_key(self) -> str:
        return "base"

    def build(self, dockerfile: Path, context: Path, reference: str, arguments: Mapping[str, str], target: str) -> None:
        raise AssertionError(reference)

    def export(self, reference: str, layout: Path) -> None:
        raise AssertionError(reference)

    def forget(self, reference: str) -> None:
        raise AssertionError(reference)


def test_sources_that_change_while_they_are_read_are_read_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOWSTOPPER_CACHE", str(tmp_path / "cache"))
    content, edits = [b"first"], [b"second"]

    def prepare(context: Path) -> None:
        (context / "copy").write_bytes(content[0])
        if edits:
            content[0] = edits.pop()

    edited = Recipe("thing", lambda: content, prepare)
    image, context = images._prepare(edited, Idle(), lambda _: False)
    assert context is not None
    assert (context / "copy").read_bytes() == b"second"
    assert image.tag == images.tag(edited, "base")


def test_sources_that_never_rest_are_an_error(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWSTOPPER_CACHE", str(tmp_path / "cache"))
    content: list[bytes] = []
    restless = Recipe("thing", lambda: content, lambda _: content.append(b"more"))
    with pytest.raises(errors.ConflictError, match="try again when they rest"):
        images._prepare(restless, Idle(), lambda _: False)
