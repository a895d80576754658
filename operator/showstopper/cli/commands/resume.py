"""`showstopper resume`: clear the stop switch."""

import asyncio

import typer

from showstopper.api.stop_switch import STOP_SWITCH
from showstopper.cli.commands.stop import switch_namespace
from showstopper.cli.kube.connection import Connection
from showstopper.cluster.kinds import CONFIG_MAP
from showstopper.errors import NotFound


def command(context: typer.Context) -> None:
    """Clear the stop switch. Stopped runs are not restarted.

    This deletes the ConfigMap stop-switch in the agents' namespace (showstopper-agent, unless -n names another).
    """
    asyncio.run(_resume(context.obj))


async def _resume(connection: Connection) -> None:
    namespace = switch_namespace(connection)
    async with connection.open() as client:
        try:
            await client.delete(CONFIG_MAP, namespace, STOP_SWITCH)
        except NotFound as error:
            message = f"nothing to resume: there is no ConfigMap {namespace}/{STOP_SWITCH}"
            raise NotFound(message, status=404) from error
    print(f"configmap/{STOP_SWITCH} deleted: runs may start again; stopped runs are not restarted")
