"""What Pod Security *restricted* asks of our pods, and less: nobody's user, no privilege, a file system to read."""

from typing import Any

_NOBODY = 65532

POD: dict[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": _NOBODY,
    "runAsGroup": _NOBODY,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""The security context of a pod."""

CONTAINER: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
"""The security context of each of its containers."""
