"""The CRDs: as the models say, as Kubernetes wants them, and bounded wherever a value comes from people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field

from dev.cluster.apiserver import ApiServer
from showstopper.api.conditions import Condition, ConditionType, conditions, in_progress
from showstopper.api.experiment import Experiment, ExperimentSpec
from showstopper.api.generated import crds
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import Resource, Spec, Status, dump
from showstopper.api.schema.rules import KEY
from tests.api.build import experiment, game_day, gate, room, run
from tests.support.api_server import ROOT, apply, as_object

EXAMPLES = sorted([*(ROOT / "examples").glob("*.yaml"), *(ROOT / "examples" / "game-days").glob("*.yaml")])
kinds = pytest.mark.parametrize("kind", crds.KINDS, ids=lambda kind: kind.kind)


def root_schema(kind: type[Resource]) -> dict[str, Any]:
    schema = crds.crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert isinstance(schema, dict)
    return schema


def parts(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from parts(inner, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from parts(schema[key], f"{path}[]")


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return crds.files()


@pytest.mark.parametrize("path", [f"{folder}/{kind.plural}.yaml" for folder in crds.FOLDERS for kind in crds.KINDS])
def test_the_files_are_as_the_models_say(path: str, files: dict[str, str]) -> None:
    assert (ROOT / path).read_text() == files[path], "run `make crds`"


def test_there_is_no_file_of_a_kind_that_is_gone(files: dict[str, str]) -> None:
    there = {str(path.relative_to(ROOT)) for folder in crds.FOLDERS for path in (ROOT / folder).iterdir()}
    assert there == set(files)


def test_check_fails_on_a_changed_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["crds", "--root", str(tmp_path)])
    crds.main()
    monkeypatch.setattr("sys.argv", ["crds", "--root", str(tmp_path), "--check"])
    crds.main()
    changed = tmp_path / "crds" / "experiments.yaml"
    changed.write_text(changed.read_text().replace("Experiment", "Trial", 1))
    with pytest.raises(SystemExit, match=r"experiments\.yaml; run `make crds`"):
        crds.main()


@kinds
def test_no_part_is_left_over_from_json_schema(kind: type[Resource]) -> None:
    for path, part in parts(root_schema(kind)):
        assert not part.keys() & {"$ref", "$defs", "anyOf", "oneOf", "title", "const", "propertyNames"}, path
        assert part.get("type"), path


@kinds
def test_everything_that_can_grow_is_bounded(kind: type[Resource]) -> None:
    schema = root_schema(kind)
    for path, part in parts({"properties": {key: schema["properties"][key] for key in ("spec", "status")}}):
        match part.get("type"):
            case "string":
                assert "maxLength" in part or "enum" in part, path
            case "array":
                assert "maxItems" in part, path
                assert part["x-kubernetes-list-type"] in {"atomic", "map"}, path
            case "object" if "additionalProperties" in part:
                assert "maxProperties" in part, path


def test_a_run_repeats_no_rule_of_what_it_copies() -> None:
    ruled = [path for path, part in parts(root_schema(ExperimentRun)) if KEY in part]
    assert ruled == ["", ".spec"], "only how it may change"


def test_nobody_keeps_books_of_who_owns_a_field_of_a_run() -> None:
    spec, status = (root_schema(ExperimentRun)["properties"][half] for half in ("spec", "status"))
    assert status["x-kubernetes-map-type"] == "atomic"
    for name, field in spec["properties"].items():
        if field["type"] in {"object", "array"}:
            assert "atomic" in {field.get("x-kubernetes-map-type"), field.get("x-kubernetes-list-type")}, name
    assert "x-kubernetes-map-type" not in spec, "an abort may be applied without all the rest"


@kinds
def test_names_are_spelt_as_kubernetes_spells_them(kind: type[Resource]) -> None:
    for path, part in parts(root_schema(kind)):
        for name in part.get("properties", {}):
            assert name[0].islower(), path
            assert "_" not in name, path


@kinds
def test_a_status_has_no_default_but_that_nobody_has_looked_yet(kind: type[Resource]) -> None:
    status = root_schema(kind)["properties"]["status"]
    assert status["default"] == {"observedGeneration": -1}
    for path, part in parts({**status, "default": None}):
        assert part.get("default") is None, path
        assert "x-kubernetes-validations" not in part, path


@kinds
def test_conditions_are_a_map_by_type_and_take_all_of_ours(kind: type[Resource]) -> None:
    listed = root_schema(kind)["properties"]["status"]["properties"]["conditions"]
    assert listed["x-kubernetes-list-type"] == "map"
    assert listed["x-kubernetes-list-map-keys"] == ["type"]
    assert listed["maxItems"] >= len(ConditionType)


@kinds
def test_people_find_the_kind(kind: type[Resource]) -> None:
    made = crds.crd(kind)["spec"]
    assert made["names"]["categories"] == ["showstopper"]
    assert made["names"]["shortNames"]
    assert made["versions"][0]["additionalPrinterColumns"][-1]["name"] == "Age"


@kinds
def test_every_column_shows_a_field_that_exists(kind: type[Resource]) -> None:
    schema = root_schema(kind)
    for _, _, path, _ in kind.printer_columns:
        place = schema
        for name in path.partition("[")[0].strip(".").split("."):
            place = place["properties"][name]


class Parent(Spec):
    """A model whose fields others inherit."""

    kept: int = 0
    """Text of the parent."""
    replaced: int = 0
    """Text of the parent, which the child replaces."""


class Child(Parent):
    """A model that inherits fields."""

    replaced: int = 1
    """Text of the child."""
    own: int = 0
    """Text that
    takes two lines."""


class Bare(Child):
    """A model with a field that nobody describes."""

    bare: Annotated[tuple[int, ...], Field(max_length=3)] = ()  # a comment never reaches a CRD


def test_the_words_under_a_field_are_its_description() -> None:
    spec = root_schema(Experiment)["properties"]["spec"]
    described = crds.attribute_docstrings(ExperimentSpec)["suspend"]
    assert spec["properties"]["suspend"]["description"] == described != ""
    assert spec["properties"]["timing"]["default"] == {"baseline": "15s", "recovery": "1m"}


def test_an_inherited_field_keeps_its_words() -> None:
    assert crds.field_docstrings(Child) == {
        "kept": "Text of the parent.",
        "replaced": "Text of the child.",
        "own": "Text that takes two lines.",
    }


@kinds
def test_every_field_has_a_description(kind: type[Resource]) -> None:
    fields = root_schema(kind)["properties"]
    assert not list(
        crds.without_description({"properties": {**fields, "metadata": {"description": "Kubernetes' own"}}})
    )


def test_a_field_without_a_description_is_an_error() -> None:
    class Record(Status):
        """A status with a list of models, one field of which nobody describes."""

        inner: Annotated[list[Bare], Field(max_length=3)] = []
        """A list."""
        conditions: Annotated[list[Condition], Field(max_length=8)] = []
        """Conditions."""

    class Kind(Resource):
        """A kind."""

        kind: ClassVar[str] = "Undescribed"
        plural: ClassVar[str] = "undescribeds"

        spec: Child
        status: Record

    with pytest.raises(ValueError, match=r"Undescribed: .* without a description: status\.inner\[\]\.bare$"):
        crds.crd(Kind)


@pytest.mark.apiserver
def test_the_kinds_are_established(server: ApiServer) -> None:
    for kind in crds.KINDS:
        made = as_object(server.kubectl("get", "crd", f"{kind.plural}.showstopper.dev", "-o", "json"))
        stands = {condition["type"]: condition["status"] for condition in made["status"]["conditions"]}
        assert stands == {"NamesAccepted": "True", "Established": "True"}


@pytest.mark.apiserver
@pytest.mark.parametrize("body", [experiment(), room(), run(), game_day(), gate()], ids=lambda body: body["kind"])
def test_a_new_object_says_that_nobody_has_looked_yet(server: ApiServer, body: dict[str, Any]) -> None:
    made = apply(server, {**body, "status": {"observedGeneration": 1}})
    assert made["status"] == {"observedGeneration": -1}
    server.kubectl("delete", "-n", "show", body["kind"], body["metadata"]["name"])


@pytest.mark.apiserver
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_taken(server: ApiServer, path: Path) -> None:
    server.kubectl("apply", "--dry-run=server", "-f", str(path))


@pytest.mark.apiserver
def test_defaults_are_written_into_what_is_stored(server: ApiServer) -> None:
    made = apply(server, room(), "--dry-run=server")["spec"]
    assert made["listeners"] == {"count": 6, "perPod": 3, "arrivals": {"every": "5s", "stay": "15s"}}
    assert made["program"] == {"host": "Managed", "hold": "3s"}


@pytest.mark.apiserver
def test_a_room_can_do_without_newcomers(server: ApiServer) -> None:
    made = apply(server, room({"spec.listeners.arrivals.every": "0s"}), "--dry-run=server")
    arrivals = AudioRoom.parse(made).spec.listeners.arrivals
    assert arrivals is not None
    assert not arrivals.every


@pytest.mark.apiserver
def test_an_explicit_null_stays_one(server: ApiServer) -> None:  # client-side `kubectl apply` drops it on its way
    made = apply(server, room({"spec.listeners.arrivals": None}), "--dry-run=server", "--server-side")
    assert AudioRoom.parse(made).spec.listeners.arrivals is None


@pytest.mark.apiserver
def test_the_largest_objects_are_within_what_rules_may_cost(server: ApiServer) -> None:
    labels = {f"example.com/{number}": "x" * 63 for number in range(16)}
    ports = [{"name": f"p{number}", "port": 1 + number} for number in range(16)]
    components = [{"name": f"c{number}", "selector": {"matchLabels": labels}, "ports": ports} for number in range(16)]
    target = {"component": "c" * 63, "maxPercent": "99.999%"}
    faults = [{"name": f"{number}{'f' * 62}", "target": target, "podKill": {}} for number in range(8)]
    largest = {
        "spec.faults": faults,
        "spec.schedule": ",".join(["0-59/1"] * 17) + " * * * *",
        "spec.timeZone": "A" * 64,
        "spec.expect": [{"indicator": "TimeToFirstAudio", "max": "0h0m59s999ms"}] * 16,
        "spec.abortIf": [{"indicator": "TimeToFirstAudio", "above": "0h0m59s999ms", "for": "59m"}] * 8,
    }
    apply(server, experiment(largest), "--dry-run=server")
    apply(server, room({"spec.components": components}), "--dry-run=server")
    del largest["spec.schedule"], largest["spec.timeZone"]
    inline = experiment(largest)["spec"]
    hold = {"approval": True, "timeout": "0h0m59s999ms"}
    acts = [{"name": f"{number:02}{'a' * 61}", "experiment": inline, "hold": hold} for number in range(12)]
    apply(server, game_day({"spec.acts": acts}), "--dry-run=server")
    changes = {**largest, "metadata.name": "largest", "spec.room.spec.components": components}
    apply(server, run(changes))
    apply(server, run({**changes, "spec.abort": True}))  # which compares all of it with what it was
    server.kubectl("delete", "-n", "show", "exprun", "largest")


@pytest.mark.apiserver
def test_columns_show_a_status(server: ApiServer) -> None:
    apply(server, room({"metadata.name": "shown"}))
    now = "2026-01-01T00:00:00.000001Z"
    starting = in_progress(Reason.STARTING, "2 of 6")
    stands = [dump(condition) for condition in conditions(starting, generation=1, now=now)]
    status = {"observedGeneration": 1, "conditions": stands, "listeners": {"intended": 6, "live": 2}, "audible": "33%"}
    patch = str({"status": status}).replace("'", '"')
    server.kubectl("patch", "-n", "show", "room", "shown", "--subresource=status", "--type=merge", f"--patch={patch}")
    header, row = server.kubectl("get", "-n", "show", "rooms").splitlines()
    assert header.split() == ["NAME", "READY", "REASON", "LISTENERS", "LIVE", "AUDIBLE", "AGE"]
    assert row.split()[:6] == ["shown", "Unknown", "Starting", "6", "2", "33%"]
    assert "shown" in server.kubectl("get", "-n", "show", "showstopper")
    server.kubectl("delete", "-n", "show", "room", "shown")
