"""Containers: which container of a pod is the component's, for faults of processes and for its release. Pure."""

from collections.abc import Sequence

from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
"""Annotation with the container that `kubectl exec` and `kubectl logs` take, where none is named."""
SIDECARS = frozenset(
    {
        "istio-proxy",
        "linkerd-proxy",
        "consul-dataplane",
        "kuma-sidecar",
        "daprd",
        "vault-agent",
        "cloud-sql-proxy",
        "otc-container",
    }
)
"""Names that meshes and injectors give to the containers that they add: Istio, Linkerd, Consul, Kuma, Dapr, Vault,
Cloud SQL, OpenTelemetry. Native sidecars are init containers, and so are not among a pod's containers at all."""


def choose(place: str, names: Sequence[str], *, named: str | None, by: str, default: str = "") -> str | Finding:
    """The container that is meant, or why that is not known.

    The first container is no answer: Istio puts its proxy first on purpose (`holdApplicationUntilProxyStarts`).

    Args:
        place: namespace and name of the pod, for the message.
        names: of its containers, in the order of its spec.
        named: the container that somebody has named.
        by: who named it, as the message has it.
        default: the value of its annotation DEFAULT_CONTAINER.
    """
    if named is not None:
        if named in names:
            return named
        return Finding(
            Reason.UNKNOWN_CONTAINER, f'pod {place} has no container "{named}"{by}; it has: {", ".join(names)}'
        )
    if default in names:
        return default
    own = [name for name in names if name not in SIDECARS]
    for only in (own, names):
        if len(only) == 1:
            return only[0]
    return Finding(
        Reason.CONTAINER_AMBIGUOUS,
        f"pod {place} has several containers ({', '.join(names)}), and it is not known which is meant: write its name "
        f"as the component's container, or annotate the pod with {DEFAULT_CONTAINER}",
    )
