"""The reference is as the models say, and leaves no field of a spec out."""

from pathlib import Path
from typing import Any

import pytest

from showstopper.api.generated import crds, reference
from showstopper.api.reasons import Reason
from tests.support.api_server import ROOT


@pytest.mark.parametrize("path", reference.files())
def test_the_file_is_as_the_models_say(path: str) -> None:
    assert (ROOT / Path(path)).read_text(encoding="utf-8") == reference.files()[path], "run `make docs`"


def test_every_reason_is_in_its_document_with_a_meaning() -> None:
    rows = [row.strip("| ").split(" | ") for row in reference.reasons().splitlines() if row.startswith("| `")]
    assert [name for name, _ in rows] == [f"`{reason}`" for reason in sorted(Reason, key=str.lower)]
    assert all(len(meaning) > 15 and meaning.endswith((".", "?")) for _, meaning in rows)


def test_every_field_of_an_experiment_is_in_it() -> None:
    text = reference.text()
    assert all(f"`{path}`" in text for path in _paths(_spec("Experiment")))


def test_every_field_has_a_meaning() -> None:
    rows = [row for row in reference.text().splitlines() if row.startswith(("| `", "| **`"))]
    assert len(rows) > 500
    assert not [row for row in rows if row.endswith("|  |")]


def test_what_has_to_be_given_is_bold() -> None:
    assert "| **`roomRef`** |" in reference.text()
    assert "| `suspend` |" in reference.text()


def _spec(kind: str) -> dict[str, Any]:
    resource = next(resource for resource in crds.KINDS if resource.kind == kind)
    schema: dict[str, Any] = crds.crd(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec: dict[str, Any] = schema["properties"]["spec"]
    return spec


def _paths(schema: dict[str, Any], above: str = "") -> list[str]:
    paths = []
    for name, field in schema.get("properties", {}).items():
        inner = field.get("items", field)
        paths += [f"{above}{name}", *_paths(inner, f"{above}{name}[]." if "items" in field else f"{above}{name}.")]
    return paths
