"""What is in a person's file: applied as it is, or refused in a sentence; never guessed."""

from pathlib import Path

import pytest

from showstopper.cli.kube import manifest
from showstopper.cluster.kinds import AUDIO_ROOM, EXPERIMENT, GAME_DAY
from showstopper.errors import InvalidResource, SettingsError

HEAD = "apiVersion: showstopper.dev/v1alpha1\n"
EXPERIMENT_TEXT = HEAD + "kind: Experiment\nmetadata: {name: kill}\nspec: {}\n"
DAY_TEXT = HEAD + "kind: GameDay\nmetadata: {name: night}\nspec: {}\n"
ROOM_TEXT = HEAD + "kind: AudioRoom\nmetadata: {name: stage, namespace: show}\nspec: {}\n"


def parse(text: str, namespace: str = "show", *, given: bool = False) -> manifest.Manifest:
    return manifest.parse(text, "file.yaml", namespace, namespace_given=given)


def test_rooms_and_one_experiment_in_their_order() -> None:
    manifest = parse(f"---\n{ROOM_TEXT}---\n---\n{EXPERIMENT_TEXT}")
    assert [kind for kind, _ in manifest.objects] == [AUDIO_ROOM, EXPERIMENT]
    assert manifest.experiment["metadata"] == {"name": "kill", "namespace": "show"}


def test_a_game_day_with_its_rooms_and_the_experiments_that_its_acts_name() -> None:
    other = EXPERIMENT_TEXT.replace("kill", "flood")
    manifest = parse(f"{ROOM_TEXT}---\n{EXPERIMENT_TEXT}---\n{other}---\n{DAY_TEXT}")
    assert manifest.game_day is not None
    assert manifest.game_day["metadata"] == {"name": "night", "namespace": "show"}
    assert [body["metadata"]["name"] for body in manifest.of_kind(EXPERIMENT)] == ["kill", "flood"]
    assert [kind for kind, _ in manifest.objects][-1] is GAME_DAY
    assert parse(EXPERIMENT_TEXT).game_day is None


def test_a_list_is_its_items() -> None:
    text = "kind: List\nitems:\n- {apiVersion: showstopper.dev/v1alpha1, kind: Experiment, metadata: {name: kill}}\n"
    assert parse(text).experiment["metadata"]["name"] == "kill"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has 0 experiments"),
        (ROOM_TEXT, "has 0 experiments"),
        (f"{EXPERIMENT_TEXT}---\n{EXPERIMENT_TEXT}", "has 2 experiments"),
        (f"{DAY_TEXT}---\n{DAY_TEXT}", "has 2 game days"),
        ("a: [", "is not YAML"),
        ("just words", "not a Kubernetes object"),
        ("- 1", "not a Kubernetes object"),
        ("kind: Experiment", "no metadata.name"),
        ("kind: Experiment\nmetadata: {name: 7}", "no metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: p}", "holds Pod p"),
        (EXPERIMENT_TEXT.replace("v1alpha1", "v9"), "write showstopper.dev/v1alpha1"),
        ("kind: List\nitems: 7", "has 0 experiments"),
        (EXPERIMENT_TEXT.replace("kill", '"kill?dryRun=All"'), "metadata.name: write a name of at most 63"),
        (EXPERIMENT_TEXT.replace("kill", "k" * 5000), "metadata.name: write a name of at most 63"),
        (EXPERIMENT_TEXT.replace("{name: kill}", "{name: kill, namespace: 7}"), "metadata.namespace: write a name"),
        (EXPERIMENT_TEXT.replace("spec: {}", "spec: {revision: !!binary aGk=}"), "bytes is not JSON serializable"),
        (EXPERIMENT_TEXT.replace("spec: {}", "spec: {revision: .nan}"), "not JSON compliant"),
        (EXPERIMENT_TEXT.replace("spec: {}", "spec: &a {again: *a}"), "Circular reference"),
        ("[" * 5000, "not YAML that Kubernetes can take"),
    ],
)
def test_what_cannot_be_applied_is_refused_with_the_file_and_the_reason(text: str, said: str) -> None:
    with pytest.raises(InvalidResource, match=said) as caught:
        parse(text)
    assert "file.yaml" in str(caught.value)


def test_a_date_is_a_text_as_kubectl_reads_it() -> None:
    text = EXPERIMENT_TEXT.replace("spec: {}", "spec: {revision: 2026-12-01}")
    assert parse(text).experiment["spec"] == {"revision": "2026-12-01"}


@pytest.mark.parametrize("nothing", ["", "null", '""'])
def test_a_namespace_that_is_left_empty_is_the_one_of_the_context(nothing: str) -> None:
    text = EXPERIMENT_TEXT.replace("{name: kill}", f"{{name: kill, namespace: {nothing}}}")
    assert parse(text).experiment["metadata"]["namespace"] == "show"


def test_a_namespace_that_contradicts_the_option_is_refused() -> None:
    text = EXPERIMENT_TEXT.replace("{name: kill}", "{name: kill, namespace: other}")
    assert parse(text).experiment["metadata"]["namespace"] == "other"
    with pytest.raises(InvalidResource, match="namespace other, and --namespace is show"):
        parse(text, given=True)


def test_files_are_told_from_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert manifest.is_file("x.yaml")
    assert manifest.is_file("./kill")
    assert not manifest.is_file("kill")
    Path("kill").write_text("")
    assert manifest.is_file("kill")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    for name, said in (("none.yaml", "No such file"), ("binary.yaml", "not UTF-8"), (".", "directory")):
        with pytest.raises(SettingsError, match=said):
            manifest.read(tmp_path / name, "show", namespace_given=False)
