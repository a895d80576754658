"""`showstopper before-uninstall`: end everything, then the operator, then the fleets, for the chart's pre-delete hook.

Who is uninstalled ends nothing any more: its runs would never be over, and its listeners would go on for ever. What
people have written stays as it is, so that a new install makes the fleets of their rooms again.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Annotated

import typer

from showstopper.cli.commands import stop
from showstopper.cli.exit_codes import ExitCode, problem
from showstopper.cli.kube import stop_switches
from showstopper.cli.kube.connection import Connection
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM, DEPLOYMENT, POD, ROLE_BINDING, SERVICE_ACCOUNT, STATEFUL_SET
from showstopper.engine.rooms.fleet import names
from showstopper.errors import Conflict, NotFound

REASON = "Showstopper is being uninstalled"
OPERATOR = "showstopper-operator"
"""Name of its Deployment in the chart."""
OPERATOR_LABELS = {"app.kubernetes.io/name": "showstopper", "app.kubernetes.io/component": "operator"}
POLL_SECONDS = 0.2


def command(
    context: typer.Context,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait for the runs, and then for the operator.")
    ] = 60,
) -> None:
    """Stop every run, then the operator of this namespace, and delete listeners and hosts of all rooms.

    Where that fails, the stop switch stays set, and nothing starts: try again, or clear it with showstopper resume.

    Exit codes: 0 all of it is done, 4 a run or the operator did not end, or a fault was not reverted.
    """
    raise typer.Exit(asyncio.run(_leave(context.obj, timeout)))


async def _leave(connection: Connection, timeout: float) -> ExitCode:
    async with connection.open() as client:
        ours = await _ours(client, await _watched(client))
        since = min([await stop_switches.throw(client, namespace, REASON) for namespace in ours], default=float("inf"))
        if (code := await _runs_ended(client, since, timeout)) is not ExitCode.PASSED:
            return code
        if not await _operator_ended(client, connection.namespace, timeout):
            problem(f"the operator has not ended within {timeout:g} s: kubectl -n {connection.namespace} get pods")
            return ExitCode.ERROR
        await _send_fleets_home(client)
        for namespace in ours:  # a person's switch is for a person to clear
            await stop_switches.clear(client, namespace)
    return ExitCode.PASSED


async def _ours(client: Client, namespaces: Sequence[str]) -> list[str]:
    """The namespaces whose switch is ours to set and to clear: it is not set, or by an attempt before that failed."""
    return [namespace for namespace in namespaces if await stop_switches.reason_in(client, namespace) in {None, REASON}]


async def _watched(client: Client) -> list[str]:
    """The namespaces with a switch. None: the install was never complete, and nothing can run."""
    try:
        return await stop_switches.namespaces(client)
    except NotFound:
        return []


async def _runs_ended(client: Client, since: float, timeout: float) -> ExitCode:
    try:
        return await stop.until_ended(client, since, timeout)
    except NotFound:  # there are no such resources: their definitions were deleted before
        return ExitCode.PASSED


async def _operator_ended(client: Client, namespace: str, timeout: float) -> bool:
    """Scale the operator down, or it would make the fleets again, and wait until it is gone."""
    none = [{"op": "add", "path": "/spec/replicas", "value": 0}]
    with contextlib.suppress(NotFound):
        await client.patch(DEPLOYMENT, namespace, OPERATOR, none, subresource="scale")
    clock = asyncio.get_running_loop().time
    give_up = clock() + timeout
    while await client.list(POD, namespace, labels=OPERATOR_LABELS):
        if clock() > give_up:
            return False
        await asyncio.sleep(POLL_SECONDS)
    print(f"deployment/{OPERATOR} scaled to 0 in namespace {namespace}")
    return True


async def _send_fleets_home(client: Client) -> None:
    """Delete what the operator has made for rooms, in all namespaces."""
    for kind in (STATEFUL_SET, DEPLOYMENT, ROLE_BINDING, SERVICE_ACCOUNT):
        for body in await client.list(kind, labels=names.FLEET_LABELS):
            metadata = body["metadata"]
            if not any(owner["kind"] == AUDIO_ROOM.name for owner in metadata.get("ownerReferences", ())):
                continue  # somebody else's, with our labels
            with contextlib.suppress(NotFound, Conflict):
                await client.delete(kind, metadata["namespace"], metadata["name"], uid=metadata["uid"])
            print(f"{kind.name.lower()} {metadata['namespace']}/{metadata['name']} deleted")
