"""Whatever stands in a resource, reading it gives the resource or one sentence that names the field."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from showstopper.api.experiment import Experiment
from showstopper.api.generated.crds import KINDS
from showstopper.api.schema.base import Resource, dump
from showstopper.engine.experiments import schedule
from showstopper.engine.runs import requests
from showstopper.errors import InvalidResource
from tests.api.build import experiment, game_day, gate, room, run

MODELS: dict[str, type[Resource]] = {kind.kind: kind for kind in KINDS}
BODIES = [experiment(), room(), run(), game_day(), gate()]
Path = tuple[str | int, ...]

odd_values = st.one_of(
    st.sampled_from(
        [None, True, False, 0, -1, 7, 10**30, 1.5, -0.0, 1e308, "", " ", "x" * 5000, "\0", "é\n", "0s", "-1s", "99999h"]
    ),
    st.sampled_from(["0%", "100.0001%", "NaN%", "1e3", "2026-02-30T99:00:00Z", "* * * * *", "0 0 31 2 *", "Mars/Base"]),
    st.text(max_size=20),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3), max_leaves=4
    ),
    st.dictionaries(st.text(max_size=8), st.integers(), max_size=2),
)


def places(body: Any, above: Path = ()) -> Iterator[Path]:
    """The paths of all fields and entries."""
    pairs = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in pairs:
        yield (*above, key)
        yield from places(value, (*above, key))


def changed(body: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The body with another value at that place."""
    other = copy.deepcopy(body)
    inner: Any = other
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return other


def read(kind: str, body: Any) -> tuple[Resource | None, str]:
    """The resource, or why there is none."""
    try:
        return MODELS[kind].parse(body), ""
    except InvalidResource as refused:
        return None, str(refused)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body["kind"])
@settings(max_examples=300)
@given(st.data())
def test_an_odd_value_anywhere_is_taken_or_refused_in_a_sentence(body: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(places(body))))
    odd = changed(body, path, data.draw(odd_values))
    parsed, refusal = read(body["kind"], odd)
    if parsed is None:
        assert refusal.startswith(f"{body['kind']} ")
        assert str(path[0]) in refusal, "the field is named"
    else:
        json.dumps(dump(parsed))
    if isinstance(parsed, Experiment):
        requests.wanted(parsed)
        schedule.of(parsed.spec)


@pytest.mark.parametrize("kind", MODELS)
@given(body=odd_values)
def test_what_is_no_resource_at_all_is_refused_in_a_sentence(kind: str, body: Any) -> None:
    for whole in (body, {"metadata": body}, {"metadata": {"name": body, "namespace": body}}):
        parsed, refusal = read(kind, whole)
        assert parsed is not None or refusal.startswith(f"{kind} ")


def test_a_list_is_called_a_list() -> None:
    """And not by what the models make of it."""
    _, refusal = read("Experiment", experiment({"spec.faults": 7}))
    assert "spec.faults: Input should be a valid list" in refusal
