"""The stop switch: a ConfigMap in the agents' namespace that ends every run in the cluster, with a reason."""

from collections.abc import Mapping
from typing import Any

STOP_SWITCH = "stop-switch"
"""Name of the ConfigMap: `kubectl -n showstopper-agent create cm stop-switch --from-literal=reason=...`"""
STOP_SWITCH_ROLE = "showstopper-stop-switch"
"""Name of the Role by which operator and agents watch the switch. It shows in which namespace they do."""
AGENT_NAMESPACE = "showstopper-agent"
"""Default namespace of the agents. The chart creates it for the stop switch even if agents are disabled."""


def stop_reason(body: Mapping[str, Any]) -> str | None:
    """The reason to stop every run, or None. Any key with a non-empty value counts, and the key `reason` wins."""
    values = {key: text.strip() for key, text in (body.get("data") or {}).items() if text and text.strip()}
    reason = values.get("reason") or next(iter(values.values()), None)
    return reason[:256] if reason else None
