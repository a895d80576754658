"""Stop switches: where somebody watches one, whatever `-n` and the chart's values say; setting and clearing them."""

import os

from showstopper.api.stop_switch import AGENT_NAMESPACE, STOP_SWITCH, STOP_SWITCH_ROLE, stop_reason
from showstopper.clock import from_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import CONFIG_MAP, ROLE
from showstopper.errors import Conflict, Forbidden, NotFound

PAGE = 100
NAMESPACE_VARIABLE = "SHOWSTOPPER_AGENT_NAMESPACE"
"""Names the agents' namespace, as it does for the operator. For people who may not list Roles in all namespaces."""


async def namespaces(client: Client) -> list[str]:
    """The namespaces whose switch operator and agents watch: the chart puts a Role there, by which they may.

    Whoever may not list Roles is answered for one namespace: that of the environment variable, or the chart's default.

    Raises:
        NotFound: nobody watches any.
    """
    try:
        return await _in_cluster(client)
    except Forbidden:
        return [await _assumed(client)]


async def reason_in(client: Client, namespace: str) -> str | None:
    """Why the switch of a namespace stops everything now. None: it is not set."""
    try:
        return stop_reason(await client.get(CONFIG_MAP, namespace, STOP_SWITCH))
    except NotFound:
        return None


async def throw(client: Client, namespace: str, reason: str) -> float:
    """Set the switch of a namespace. Returns since when it exists, in Unix seconds of the API server's clock."""
    metadata = {"name": STOP_SWITCH, "namespace": namespace}
    body: Object = {"apiVersion": "v1", "kind": CONFIG_MAP.name, "metadata": metadata, "data": {"reason": reason}}
    try:
        switch, done = await client.create(CONFIG_MAP, body), "created"
    except Conflict:  # it exists, perhaps without a reason or with another one
        replaced = [{"op": "add", "path": "/data", "value": body["data"]}]
        switch, done = await client.patch(CONFIG_MAP, namespace, STOP_SWITCH, replaced), "configured"
    print(f"configmap/{STOP_SWITCH} {done} in namespace {namespace}: nothing starts until: showstopper resume")
    return from_timestamp(switch["metadata"]["creationTimestamp"])


async def clear(client: Client, namespace: str) -> bool:
    """Delete the switch of a namespace. False: it was not set."""
    try:
        await client.delete(CONFIG_MAP, namespace, STOP_SWITCH)
    except NotFound:
        return False
    return True


async def _in_cluster(client: Client) -> list[str]:
    query = {"fieldSelector": f"metadata.name={STOP_SWITCH_ROLE}"}
    roles = [role async for page in client.pages(ROLE, query=query, size=PAGE) for role in page["items"]]
    if not roles:
        raise NotFound(
            f"nobody watches a stop switch: no namespace has the Role {STOP_SWITCH_ROLE} of Showstopper's Helm chart",
            status=404,
        )
    return sorted(role["metadata"]["namespace"] for role in roles)


async def _assumed(client: Client) -> str:
    """The namespace that is likely. Without the right to read its Role either, only what follows can tell."""
    namespace = os.environ.get(NAMESPACE_VARIABLE) or AGENT_NAMESPACE
    try:
        await client.get(ROLE, namespace, STOP_SWITCH_ROLE)
    except Forbidden:
        pass  # whoever may only throw the switch sees by the runs whether it was the right one
    except NotFound as error:
        message = (
            f"nobody watches a stop switch in namespace {namespace}: set {NAMESPACE_VARIABLE} to the agents' namespace"
        )
        raise NotFound(message, status=404) from error
    return namespace
