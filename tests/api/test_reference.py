"""The reference is as the models say, and leaves no field of a spec out."""

from pathlib import Path
from typing import Any

from showstopper.api import crds, reference
from tests.support.api_server import ROOT


def test_the_file_is_as_the_models_say() -> None:
    assert (ROOT / Path(reference.FILE)).read_text(encoding="utf-8") == reference.text(), "run `make docs`"


def test_every_field_of_an_experiment_is_in_it() -> None:
    text = reference.text()
    assert all(f"`{path}`" in text for path in _paths(_spec("Experiment")))


def test_what_has_to_be_given_is_bold() -> None:
    assert "| **`roomRef`** |" in reference.text()
    assert "| `suspend` |" in reference.text()


def _spec(kind: str) -> dict[str, Any]:
    found = next(one for one in crds.KINDS if one.kind == kind)
    schema: dict[str, Any] = crds.crd(found)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec: dict[str, Any] = schema["properties"]["spec"]
    return spec


def _paths(schema: dict[str, Any], above: str = "") -> list[str]:
    found = []
    for name, field in schema.get("properties", {}).items():
        inner = field.get("items", field)
        found += [f"{above}{name}", *_paths(inner, f"{above}{name}[]." if "items" in field else f"{above}{name}.")]
    return found
