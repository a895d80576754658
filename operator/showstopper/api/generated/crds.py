"""The CRDs: `python -m showstopper.api.generated.crds` (`make crds`) writes them from the models, `--check` compares.

The models are the one source. The docstring under a field, or else that of the field's model, is its description, and
a field without one is an error. The defaults are the models' defaults, and the CEL rules are their `rules`. The result
is a structural schema, as Kubernetes calls it, without references and titles.
"""

import argparse
import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.gate import ReleaseGate
from showstopper.api.injection import Injection
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import GROUP, NAME_RULE, VERSION, Resource, Spec, Status, dump, own_first
from showstopper.api.schema.quantities import format_duration
from showstopper.api.schema.rules import KEY

KINDS: tuple[type[Resource], ...] = (AudioRoom, Experiment, ExperimentRun, GameDay, Injection, ReleaseGate)
# crds/ is for people and for `kubectl apply`; the chart carries a copy, since a chart is packed by itself.
FOLDERS = ("crds", "charts/showstopper/files/crds")
HEADER = "# Written by `make crds` from operator/showstopper/api: change the models, not this file.\n"
UNSEEN = {"observedGeneration": -1}
"""kstatus takes an object without a status for done: this default says "nobody has looked at it yet"."""

Schema = dict[str, Any]


class _ModelSchemas(GenerateJsonSchema):
    """JSON schemas that keep what a CRD wants of the models."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, BaseModel):
            return dump(dft)
        if isinstance(dft, timedelta):
            return format_duration(dft)
        return super().encode_default(dft)

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        made = super().model_schema(schema)
        model = schema["cls"]
        texts = field_docstrings(model)
        for name, field in model.model_fields.items():
            if name in texts:
                made["properties"][field.alias or name]["description"] = texts[name]
        shown = [model.model_fields[name].alias or name for name in own_first(model)]
        made["properties"] = {name: made["properties"][name] for name in shown if name in made["properties"]}
        if issubclass(model, Spec) and model.rules:
            made[KEY] = [rule.dump() for rule in model.rules]
        return made


def field_docstrings(model: type[BaseModel]) -> Mapping[str, str]:
    """The docstrings of a model's fields by name, inherited fields included. The nearest class that has one wins."""
    bases = [base for base in model.__mro__ if issubclass(base, BaseModel) and base is not BaseModel]
    return {name: text for base in reversed(bases) for name, text in attribute_docstrings(base).items()}


@cache
def attribute_docstrings(of: type) -> Mapping[str, str]:
    """The docstrings in a class's own body: strings under an assignment, as PEP 257 has them for attributes."""
    body = ast.parse(textwrap.dedent(inspect.getsource(of))).body[0]
    assert isinstance(body, ast.ClassDef)
    texts = {}
    for statement, text in pairwise(body.body):
        match statement, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                texts[name] = " ".join(words.split())
    return texts


def _structural(model: type[BaseModel]) -> Schema:
    """The model's schema as Kubernetes takes it."""
    whole = model.model_json_schema(by_alias=True, schema_generator=_ModelSchemas)
    return _inlined(whole, whole.get("$defs", {}))


def _inlined(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """No references, no `null`, no titles, no empty defaults. Lists are replaced as a whole."""
    own = {key: value for key, value in schema.items() if key not in {"$defs", "title", "propertyNames"}}
    if "$ref" in own:
        own = definitions[own.pop("$ref").rsplit("/", 1)[-1]] | own
        return _inlined(own, definitions)
    if "anyOf" in own:
        (only,) = (choice for choice in own.pop("anyOf") if choice.get("type") != "null")
        if own.get("default") is not None:  # else an explicit null would be given the default
            own["nullable"] = True
        return _inlined(only | own, definitions)
    if own.get("default", ...) in (None, "", [], {}):
        del own["default"]
    if own.get("additionalProperties") is False:  # unknown fields are pruned, or refused by strict validation
        del own["additionalProperties"]
    elif "additionalProperties" in own:
        own["additionalProperties"] = _inlined(own["additionalProperties"], definitions)
    if "properties" in own:
        own["properties"] = {name: _inlined(field, definitions) for name, field in own["properties"].items()}
    if "items" in own:
        own["items"] = _inlined(own["items"], definitions)
        own["x-kubernetes-list-type"] = "atomic"
    if "description" in own:
        own["description"] = " ".join(own["description"].split())
    return own


def _of_record(spec: Schema, status: Schema) -> None:
    """Make a record, which only the operator writes, cheap to write.

    Of the spec's rules only those on the whole stay, which say how it may change. The models check its parts when they
    are read. Specs and status are atomic, because tracking the owner of each field is a fifth of the cost of a write.
    """
    for part in _parts(spec):
        if part is not spec:
            part.pop(KEY, None)
    for whole in (*spec["properties"].values(), status):
        if "properties" in whole:
            whole["x-kubernetes-map-type"] = "atomic"


def _of_status(schema: Schema) -> Schema:
    """A status has one writer: no defaults, no rules. Conditions are a map by type."""
    for part in _parts(schema):
        part.pop("default", None)
        part.pop(KEY, None)
    schema["properties"]["conditions"] |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
    return {**schema, "default": UNSEEN}


def _parts(schema: Schema) -> Iterator[Schema]:
    yield schema
    for inner in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if inner:
            yield from _parts(inner)


def without_description(schema: Schema, above: str = "") -> Iterator[str]:
    """The paths of all fields of an object that have no description."""
    for name, field in schema.get("properties", {}).items():
        path = f"{above}{name}"
        if not field.get("description", "").strip():
            yield path
        yield from without_description(field.get("items", field), f"{path}[]." if "items" in field else f"{path}.")


def crd(kind: type[Resource]) -> Schema:
    """The CustomResourceDefinition of a kind.

    Raises:
        ValueError: when a field has no description, naming every such field.
    """
    spec, status = (kind.model_fields[name].annotation for name in ("spec", "status"))
    assert isinstance(spec, type)
    assert isinstance(status, type)
    assert issubclass(spec, Spec)
    assert issubclass(status, Status)
    written = {"spec": _structural(spec), "status": _of_status(_structural(status))}
    if blank := [*without_description({"properties": written})]:
        raise ValueError(f"{kind.kind}: write a docstring under the fields without a description: {', '.join(blank)}")
    if kind.record:
        _of_record(**written)
    columns = [
        {"name": name, "type": type_, "jsonPath": path} | ({"priority": priority} if priority else {})
        for name, type_, path, priority in (*kind.printer_columns, ("Age", "date", ".metadata.creationTimestamp", 0))
    ]
    schema = {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split()),
        "required": ["spec"],
        KEY: [rule.dump() for rule in (NAME_RULE, *kind.rules)],
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of the schema of this object."},
            "kind": {"type": "string", "description": "Kind of this object, in CamelCase."},
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 63}}},
            **written,
        },
    }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": schema},
    }
    if kind.selectable_fields:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable_fields]
    names = {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.kind.lower(),
        "shortNames": list(kind.short_names),
        "categories": ["showstopper"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}", "labels": {"app.kubernetes.io/part-of": "showstopper"}},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def files() -> dict[str, str]:
    """The text of every CRD by its file's path in the repository."""
    texts = {f"{kind.plural}.yaml": HEADER + _yaml(crd(kind)) for kind in KINDS}
    return {f"{folder}/{name}": text for folder in FOLDERS for name, text in texts.items()}


def _yaml(data: Schema) -> str:
    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class's signature
            return True

    return yaml.dump(data, Dumper=Dumper, sort_keys=False, width=120, allow_unicode=True)


def main() -> None:
    """Write the files that differ, or with `--check` name them and exit 1."""
    parser = argparse.ArgumentParser(description="Write the CRDs from the models.")
    parser.add_argument("--check", action="store_true", help="write nothing, and exit with 1 if a file is stale")
    parser.add_argument("--root", type=Path, default=Path(), help="folder of the repository (default: this one)")
    given = parser.parse_args()
    expected = {given.root / path: text for path, text in files().items()}
    stale = [path for path, text in expected.items() if not path.exists() or path.read_text() != text]
    if given.check and stale:
        sys.exit(f"not as the models say: {', '.join(map(str, stale))}; run `make crds`")
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(expected[path])
        sys.stdout.write(f"wrote {path}\n")


if __name__ == "__main__":
    main()
