"""The reference, written by `python -m showstopper.api.generated.reference`: each field of each kind, each reason."""

import json
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path
from typing import Any

from showstopper.api.expectations import indicators
from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.gate import ReleaseGate
from showstopper.api.generated.crds import attribute_docstrings, crd
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import GROUP, VERSION, Resource

FILE = "docs/reference.md"
REASONS_FILE = "docs/reasons.md"
KINDS: tuple[type[Resource], ...] = (AudioRoom, Experiment, GameDay, ReleaseGate, ExperimentRun)
"""Kinds that people read or write, in the order in which they meet them."""

Schema = dict[str, Any]
_HEAD = f"""# Reference
<!-- Written by `make docs` from operator/showstopper/api: change the models, not this file. -->
Every field of `{GROUP}/{VERSION}`. Required fields are bold. Durations are written like `"1500ms"`, `"20s"` or `"5m"`,
shares like `"99.5%"`. `kubectl explain experiments.spec --api-version={GROUP}/{VERSION}` shows the same texts. The API
server rejects values beyond the bounds with a message that says what to write. [Reasons](reasons.md) lists the reasons
of conditions and verdicts.
"""
_INDICATORS = """## Indicators
What `expect` and `abortIf` of an [Experiment](#experiment-exp) can bound. A window that is Unknown in parts
has bounds beside its figure, and an expectation is met only if all that the truth may be is within it.
"""


_REASONS_HEAD = """# Reasons
<!-- Written by `make docs` from operator/showstopper/api/reasons.py: change that list, not this file. -->
Every condition, verdict and event has a reason in CamelCase. It is in the `Ready` condition and, for runs and game
days, in `status.reason`. The message beside it names the object at fault, and says what to do. Scripts should compare
reasons, never messages.

| reason | meaning |
|---|---|
"""


def files() -> dict[str, str]:
    """The text of every document by its path in the repository."""
    return {FILE: text(), REASONS_FILE: reasons()}


def reasons() -> str:
    """The document with every reason, in alphabetical order."""
    meanings = attribute_docstrings(Reason)
    rows = (f"| `{reason}` | {_plain(meanings[reason.name])} |\n" for reason in sorted(Reason, key=str.lower))
    return _REASONS_HEAD + "".join(rows)


def text() -> str:
    """The document with every field of every kind, and every indicator."""
    parts = [_HEAD, *(part for kind in KINDS for part in _kind(kind)), _INDICATORS, *indicators.table()]
    return "\n".join(parts).rstrip() + "\n"


def _kind(kind: type[Resource]) -> Iterator[str]:
    schema = _schema(kind)
    short = f" (`{'`, `'.join(kind.short_names)}`)" if kind.short_names else ""
    yield f"## {kind.kind}{short}\n{schema.get('description', '')}\n"
    for part in ("spec", "status"):
        yield f"### {kind.kind}: {part}\n{schema['properties'][part].get('description', '')}\n"
        yield "| field | type | default, bounds | meaning |\n|---|---|---|---|"
        yield from _rows(schema["properties"][part], "", kind)
        yield ""


@cache
def _schema(kind: type[Resource]) -> Schema:
    schema: Schema = crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _rows(schema: Schema, above: str, kind: type[Resource]) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        path = f"{above}{name}"
        shown = f"**`{path}`**" if name in schema.get("required", ()) else f"`{path}`"
        whole = kind is not Experiment and field.get("properties", {}).keys() == _of_an_experiment()
        meaning = _plain(field.get("description", "")) + (" As [Experiment: spec](#experiment-spec)." if whole else "")
        yield f"| {shown} | {_type(field)} | {_bounds(field)} | {meaning} |"
        if whole:
            continue
        inner = field.get("items", field)
        yield from _rows(inner, f"{path}[]." if "items" in field else f"{path}.", kind)


def _of_an_experiment() -> Set[str]:
    """The fields of an Experiment's spec, by which an inline experiment is recognised."""
    fields: Schema = _schema(Experiment)["properties"]["spec"]["properties"]
    return fields.keys()


def _type(field: Schema) -> str:
    if "items" in field:
        return f"list of {_type(field['items'])}"
    if "additionalProperties" in field:
        return "map of text"
    named = {"string": "text", "object": "object", "integer": "number", "number": "number", "boolean": "true or false"}
    return named.get(field.get("type", ""), "any")


def _bounds(field: Schema) -> str:
    bounds = [f"`{_value(field['default'])}`"] if "default" in field else []
    if "enum" in field:
        bounds.append(", ".join(map(str, field["enum"])))
    for least, most in (("minimum", "maximum"), ("minItems", "maxItems")):
        if least in field or most in field:
            what = " entries" if least == "minItems" else ""
            first = field.get(least, 0)
            bounds.append(f"{first} to {field[most]}{what}" if most in field else f"from {first}{what}")
    return "; ".join(bounds)


def _value(value: object) -> str:
    return value or '""' if isinstance(value, str) else json.dumps(value)


def _plain(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


def main() -> None:
    """Write the documents."""
    for path, content in files().items():
        Path(path).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
