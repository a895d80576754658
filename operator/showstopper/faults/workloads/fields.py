"""Fields of objects by JSON pointer (RFC 6901): what they hold, and the patch that changes one and nothing else. Pure.

A value is told as JSON text, as a run's record keeps it; None: the field is not there.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from showstopper.api.schema.base import GROUP

REPLICAS = "/spec/replicas"
UNSCHEDULABLE = "/spec/unschedulable"
RESTARTED_KEY = f"{GROUP}/restarted-at"
"""An annotation, as `kubectl rollout restart` has one, in a name of ours: what our faults note is no new release
(`engine/rooms/rollouts.py`, template_hash)."""
RESTARTED = f"/spec/template/metadata/annotations/{RESTARTED_KEY.replace('/', '~1')}"


def of_key(key: str) -> str:
    """The pointer to a key of a ConfigMap."""
    return f"/data/{_escaped(key)}"


def text(value: Any) -> str | None:
    """A value as a record keeps it."""
    return None if value is None else json.dumps(value, ensure_ascii=False)


def digest(value: str | None) -> str | None:
    """What a record keeps of a text that is nobody else's to read any more, once it is put back."""
    return None if value is None else f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"


def shown(value: str | None) -> str:
    """A recorded value for a person: short, whatever it is."""
    if value is None:
        return "nothing"
    return value if len(value) <= 40 else f"a text of {len(value)} characters"


def named(pointer: str) -> str:
    """The field for a person, such as spec.replicas."""
    return ".".join(_parts(pointer))


def read(body: Mapping[str, Any], pointer: str) -> str | None:
    """What the field holds."""
    value: Any = body
    for part in _parts(pointer):
        value = value.get(part) if isinstance(value, Mapping) else None
    return text(value)


def patch(body: Mapping[str, Any], pointer: str, value: str | None) -> list[dict[str, Any]]:
    """The JSON patch that gives the field a value, if the object is still in the version of `body`."""
    same = _same(body)
    if value is None:
        return [same] if read(body, pointer) is None else [same, {"op": "remove", "path": pointer}]
    *parents, last = _parts(pointer)
    added: Any = {last: json.loads(value)}
    parent: Any = body
    for depth, part in enumerate(parents):
        if not isinstance(parent.get(part), Mapping):
            for missing in reversed(parents[depth + 1 :]):
                added = {missing: added}
            path = "/" + "/".join(map(_escaped, parents[: depth + 1]))
            return [same, {"op": "add", "path": path, "value": added}]
        parent = parent[part]
    return [same, {"op": "add", "path": pointer, "value": json.loads(value)}]


def writers(body: Mapping[str, Any], pointer: str) -> frozenset[str]:
    """The managers who wrote what the field holds, by the object's managedFields."""
    path = [f"f:{part}" for part in _parts(pointer)]
    entries = body["metadata"].get("managedFields") or ()
    return frozenset(entry.get("manager", "") for entry in entries if _leads(entry.get("fieldsV1") or {}, path))


def disown(body: Mapping[str, Any], manager: str) -> list[dict[str, Any]]:
    """The JSON patch that takes a manager's name from all that it wrote, if the object is still in this version."""
    entries = body["metadata"].get("managedFields") or ()
    places = [place for place, entry in enumerate(entries) if entry.get("manager") == manager]
    return [_same(body), *({"op": "remove", "path": f"/metadata/managedFields/{place}"} for place in reversed(places))]


def _same(body: Mapping[str, Any]) -> dict[str, Any]:
    """The test that the object is still in this version."""
    return {"op": "test", "path": "/metadata/resourceVersion", "value": body["metadata"]["resourceVersion"]}


def _leads(known: Mapping[str, Any], path: Sequence[str]) -> bool:
    """Whether a set of fields, in the form that managedFields has (FieldsV1), has the one at this path."""
    for part in path:
        if part not in known:
            return False
        known = known[part]
    return True


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
