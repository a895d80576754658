"""Connections: which proxy they take, and what each answer that is not good is called."""

import json

import pytest

from showstopper.cluster.connection import proxy_for, refusal
from showstopper.errors import BudgetRefused, ClusterError, Conflict, Forbidden, Invalid, NotFound, Unavailable

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("url", "excepted", "expected"),
    [
        ("https://10.96.0.1:443", "", PROXY),
        ("https://10.96.0.1:443", "10.96.0.0/12,localhost", None),
        ("https://10.96.0.1:443", "10.0.0.0/16, not-a-range", PROXY),
        ("https://[fd00::1]:6443", "fd00::/8", None),
        ("https://api.example:6443", ".example", None),
        ("https://api.example:6443", "10.0.0.0/8", PROXY),
        ("https://api.example:6443", "*", None),
        ("http://api.example:8080", "", None),
    ],
)
def test_a_proxy_is_taken_unless_the_host_is_excepted(url: str, excepted: str, expected: str | None) -> None:
    assert proxy_for(url, {"https": PROXY, "no": excepted}) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Invalid),
        (401, Forbidden),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (418, ClusterError),
        (422, Invalid),
        (429, Unavailable),
        (503, Unavailable),
    ],
)
def test_each_status_has_its_error(status: int, expected: type[ClusterError]) -> None:
    answer = json.dumps({"message": "the server's words", "reason": "Why"}).encode()
    error = refusal("GET", "/path", status, answer)
    assert (type(error), str(error), error.status, error.reason) == (expected, "the server's words", status, "Why")


def test_what_is_no_status_object_is_told_as_it_is() -> None:
    assert str(refusal("GET", "/path", 502, b"<html>Bad Gateway</html>")) == "<html>Bad Gateway</html>"
    assert str(refusal("GET", "/path", 502, b"")) == "GET /path: HTTP 502"


def test_a_refused_eviction_is_told_in_the_words_that_name_the_budget() -> None:
    """As the API server has it, kubernetes: pkg/registry/core/pod/storage/eviction.go."""
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    cause = {"reason": "DisruptionBudget", "message": "The disruption budget relay needs 2 healthy pods and has 2"}
    answer = {"message": message, "reason": "TooManyRequests", "details": {"causes": [cause]}}
    error = refusal("POST", "/path", 429, json.dumps(answer).encode())
    assert (type(error), str(error), error.status) == (BudgetRefused, cause["message"], 429)
