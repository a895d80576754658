"""`showstopper stop`: the stop switch, by hand."""

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
    reason: Annotated[str | None, typer.Option(help="Why; whoever is stopped reads it.", metavar="TEXT")] = None,
    release: Annotated[bool, typer.Option("--release", help="Let runs begin again. None does by itself.")] = False,
) -> None:
    """End every run in the cluster, lift every fault within a second, and let none begin until --release.

    This makes the ConfigMap stop-switch in the agents' namespace (showstopper-agent, unless -n names another), which
    the agents watch themselves: it works without the operator, too.
    """
    if release is (reason is not None):
        raise typer.BadParameter("say --reason TEXT to stop everything, or --release to allow runs again")
    if reason is not None and stop_reason({"data": {"reason": reason}}) is None:
        raise typer.BadParameter("an empty reason stops nothing: say why", param_hint="--reason")
    asyncio.run(let_go(context.obj) if reason is None else _stop(context.obj, reason))


async def _stop(connection: Connection, reason: str) -> None:
    metadata = {"name": STOP_SWITCH, "namespace": _namespace(connection)}
    body: Object = {"apiVersion": "v1", "kind": CONFIG_MAP.name, "metadata": metadata, "data": {"reason": reason}}
    async with connection.open() as client:
        try:
            done = await _thrown(client, body)
        except NotFound as error:
            raise NotFound(f"{error}: nothing is stopped; name the agents' namespace by -n", status=404) from error
    print(f"configmap/{STOP_SWITCH} {done}: every run in the cluster ends, and none begins until: {_AGAIN}")


async def _thrown(client: Client, body: Object) -> str:
    try:
        await client.create(CONFIG_MAP, body)
    except Conflict:  # it is there already, and may have said nothing, or something else
        replaced = [{"op": "add", "path": "/data", "value": body["data"]}]
        await client.patch(CONFIG_MAP, body["metadata"]["namespace"], STOP_SWITCH, replaced)
        return "configured"
    return "created"


async def let_go(connection: Connection) -> None:
    """Take the switch back.

    Raises:
        NotFound: it is not thrown.
    """
    namespace = _namespace(connection)
    async with connection.open() as client:
        try:
            await client.delete(CONFIG_MAP, namespace, STOP_SWITCH)
        except NotFound as error:
            message = f"nothing to release: there is no ConfigMap {namespace}/{STOP_SWITCH}"
            raise NotFound(message, status=404) from error
    print(f"configmap/{STOP_SWITCH} deleted: runs may begin again; those that were stopped have to be asked for anew")


def _namespace(connection: Connection) -> str:
    """The agents' one: not that of a person's context, where experiments are."""
    return connection.given_namespace or AGENT_NAMESPACE


_AGAIN = "showstopper stop --release"
