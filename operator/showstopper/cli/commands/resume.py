"""`showstopper resume`: clear the stop switch."""

import asyncio

import typer

from showstopper.api.stop_switch import STOP_SWITCH
from showstopper.cli.kube import stop_switches
from showstopper.cli.kube.connection import Connection
from showstopper.errors import NotFound


def command(context: typer.Context) -> None:
    """Clear the stop switch. Stopped runs are not restarted.

    This deletes the ConfigMap stop-switch in the agents' namespace, which is looked for: -n does not matter.
    """
    asyncio.run(_resume(context.obj))


async def _resume(connection: Connection) -> None:
    async with connection.open() as client:
        namespaces = await stop_switches.namespaces(client)
        cleared = [namespace for namespace in namespaces if await stop_switches.clear(client, namespace)]
    if not cleared:
        names = ", ".join(f"{namespace}/{STOP_SWITCH}" for namespace in namespaces)
        raise NotFound(f"nothing to resume: there is no ConfigMap {names}", status=404)
    for namespace in cleared:
        print(
            f"configmap/{STOP_SWITCH} deleted in namespace {namespace}: "
            "runs may start again; stopped runs are not restarted"
        )
