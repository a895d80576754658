"""`showstopper stop`: throw the stop switch."""

import asyncio
from typing import Annotated

import typer

from showstopper.api.stop_switch import AGENT_NAMESPACE, STOP_SWITCH, stop_reason
from showstopper.cli.kube.connection import Connection
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import CONFIG_MAP
from showstopper.errors import Conflict, NotFound


def command(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Reason, shown on every stopped run.", metavar="TEXT")],
) -> None:
    """Stop everything: abort every run in the cluster, lift every fault within a second, and start nothing new.

    Nothing starts until `showstopper resume`. This creates the ConfigMap stop-switch in the agents' namespace
    (showstopper-agent, unless -n names another). The agents watch it themselves, so it works without the operator.
    """
    if stop_reason({"data": {"reason": reason}}) is None:
        raise typer.BadParameter("an empty reason stops nothing: write why", param_hint="--reason")
    asyncio.run(_stop(context.obj, reason))


def switch_namespace(connection: Connection) -> str:
    """The namespace of the switch: the agents', not that of the context, where experiments are."""
    return connection.given_namespace or AGENT_NAMESPACE


async def _stop(connection: Connection, reason: str) -> None:
    metadata = {"name": STOP_SWITCH, "namespace": switch_namespace(connection)}
    body: Object = {"apiVersion": "v1", "kind": CONFIG_MAP.name, "metadata": metadata, "data": {"reason": reason}}
    async with connection.open() as client:
        try:
            done = await _create_or_replace(client, body)
        except NotFound as error:
            message = f"{error}: nothing was stopped; name the agents' namespace with -n"
            raise NotFound(message, status=404) from error
    namespace = f"-n {connection.given_namespace} " if connection.given_namespace else ""
    print(
        f"configmap/{STOP_SWITCH} {done}: every run in the cluster is aborted, and none starts until: "
        f"showstopper {namespace}resume"
    )


async def _create_or_replace(client: Client, body: Object) -> str:
    """Returns what was done, as kubectl says it."""
    try:
        await client.create(CONFIG_MAP, body)
    except Conflict:  # it exists, perhaps without a reason or with another one
        replaced = [{"op": "add", "path": "/data", "value": body["data"]}]
        await client.patch(CONFIG_MAP, body["metadata"]["namespace"], STOP_SWITCH, replaced)
        return "configured"
    return "created"
