"""The stop switch: a ConfigMap beside the agents that ends every experiment in the cluster, and says why."""

from collections.abc import Mapping
from typing import Any

STOP_SWITCH = "stop-switch"
"""Its name, in the agents' namespace: `kubectl -n showstopper-agent create cm stop-switch --from-literal=reason=...`"""


AGENT_NAMESPACE = "showstopper-agent"
"""The agents' namespace, unless the chart is told another. It is there without agents, too, for the switch."""


def stop_reason(body: Mapping[str, Any]) -> str | None:
    """Why everything has to stop; None: nothing has to. Any key counts, as long as something stands behind it."""
    said = {key: text.strip() for key, text in (body.get("data") or {}).items() if text and text.strip()}
    reason = said.get("reason") or next(iter(said.values()), None)
    return reason[:256] if reason else None
