"""Which cluster is used: what is named on purpose first, what can be made by us last."""

import pytest

from dev.cluster import elsewhere, errors
from dev.cluster.elsewhere import Where


@pytest.mark.parametrize(
    ("environment", "has_kind", "where"),
    [
        ({}, False, Where.EMBEDDED),
        ({}, True, Where.KIND),
        ({"SHOWSTOPPER_CLUSTER": "embedded"}, True, Where.EMBEDDED),
        ({"SHOWSTOPPER_CLUSTER": "kind"}, False, Where.KIND),
        ({"SHOWSTOPPER_CONTEXT": "prod"}, True, Where.CONTEXT),
        ({"SHOWSTOPPER_CONTEXT": "prod", "SHOWSTOPPER_CLUSTER": "embedded"}, True, Where.CONTEXT),
        ({"SHOWSTOPPER_CONTEXT": ""}, False, Where.EMBEDDED),
    ],
)
def test_the_choice(environment: dict[str, str], has_kind: bool, where: Where) -> None:
    assert elsewhere.choose(environment, has_kind=has_kind) is where


def test_an_unknown_cluster_is_refused() -> None:
    with pytest.raises(errors.MissingError, match="'minikube': it may be kind or embedded"):
        elsewhere.choose({"SHOWSTOPPER_CLUSTER": "minikube"}, has_kind=True)


def test_a_context_needs_a_registry() -> None:
    with pytest.raises(errors.MissingError, match="SHOWSTOPPER_REGISTRY"):
        elsewhere.context_images({})
