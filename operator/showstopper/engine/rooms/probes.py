"""Probes: the TCP ports at which a pod's kubelet asks how its containers are. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_HANDLERS = ("httpGet", "tcpSocket", "grpc")
"""Those that ask over the network, by TCP. A command asks inside the container."""


def ports_of(spec: Mapping[str, Any]) -> tuple[int, ...]:
    """The ports, from a pod's spec. Init containers have probes where they are sidecars."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return tuple(sorted({port for container in containers for port in _of_container(container)}))


def slim(container: Mapping[str, Any]) -> dict[str, Any]:
    """A container's probes without what is not asked for here."""
    return {
        name: {
            handler: {key: asked[key] for key in ("port", "host") if key in asked}
            for handler in _HANDLERS
            if (asked := container[name].get(handler))
        }
        for name in PROBES
        if container.get(name)
    }


def _of_container(container: Mapping[str, Any]) -> Iterator[int]:
    named = {port.get("name"): port["containerPort"] for port in container.get("ports") or ()}
    for probe in filter(None, (container.get(name) for name in PROBES)):
        for asked in filter(None, (probe.get(handler) for handler in _HANDLERS)):
            port = named.get(asked["port"], asked["port"])
            if isinstance(port, int) and not asked.get("host"):  # else it asks somebody else
                yield port
