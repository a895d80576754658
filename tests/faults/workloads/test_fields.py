"""Fields: what a JSON pointer leads to, and the patch that changes it alone."""

from typing import Any

import pytest

from showstopper.faults.workloads import fields

VERSION = {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}
BODY: dict[str, Any] = {"metadata": {"resourceVersion": "7"}, "spec": {"replicas": 3, "template": {"metadata": None}}}


def test_a_value_is_told_as_json_and_what_is_not_there_as_nothing() -> None:
    assert fields.read(BODY, fields.REPLICAS) == "3"
    assert fields.read(BODY, fields.RESTARTED) is None
    assert fields.read({"data": {"a/b~c": "x"}}, fields.of_key("a/b~c")) == '"x"'
    assert fields.named(fields.of_key("livekit.yaml")) == "data.livekit.yaml"


@pytest.mark.parametrize(
    ("pointer", "value", "operation"),
    [
        (fields.REPLICAS, "1", {"op": "add", "path": "/spec/replicas", "value": 1}),
        (fields.REPLICAS, None, {"op": "remove", "path": "/spec/replicas"}),
        (fields.of_key("a"), '"b"', {"op": "add", "path": "/data", "value": {"a": "b"}}),
        (
            fields.RESTARTED,
            '"now"',
            {
                "op": "add",
                "path": "/spec/template/metadata",
                "value": {"annotations": {"showstopper.dev/restarted-at": "now"}},
            },
        ),
    ],
)
def test_one_operation_changes_it_and_only_in_that_version(
    pointer: str, value: str | None, operation: dict[str, Any]
) -> None:
    assert fields.patch(BODY, pointer, value) == [VERSION, operation]


def test_what_is_not_there_is_not_removed() -> None:
    assert fields.patch(BODY, fields.RESTARTED, None) == [VERSION]


def test_it_is_known_who_wrote_a_field() -> None:
    noted = [
        {"manager": "kubectl", "fieldsV1": {"f:spec": {"f:replicas": {}}, "f:data": {".": {}, "f:a/b": {}}}},
        {"manager": "run", "fieldsV1": {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {}}}}}},
        {"manager": "kubelet"},
    ]
    body = {"metadata": {"managedFields": noted}}
    assert fields.writers(body, fields.REPLICAS) == {"kubectl"}
    assert fields.writers(body, fields.of_key("a/b")) == {"kubectl"}
    assert not fields.writers(body, fields.RESTARTED)
    assert not fields.writers(BODY, fields.REPLICAS)


def test_a_long_value_is_not_quoted_to_people() -> None:
    assert fields.shown("3") == "3"
    assert fields.shown(None) == "nothing"
    assert fields.shown('"' + "x" * 60 + '"') == "a text of 62 characters"
