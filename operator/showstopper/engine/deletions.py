"""Deletions that nobody saw: what is known is compared with what the API lists, for the kinds that kopf delivers.

kopf tells the deletions that its watch sees. Of an object that went before its first listing, or while its watch was
broken, it says nothing: it is only missing from the next listing, and kopf does not look for that. Unnoticed, a deleted
Experiment would go on, and fire by its schedule.

A listing of metadata each minute, not a second watch: it needs no connection of its own, it reads nothing in the moment
of an injection, and it does not matter why a deletion was missed, for what is compared is what is acted upon.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog

from showstopper.api.schema.base import Resource
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import Kind
from showstopper.cluster.watch import PAGE
from showstopper.errors import ClusterError

log = structlog.get_logger()
R = TypeVar("R", bound=Resource)

EVERY_SECONDS = 60.0


async def check(client: Client, kind: Kind, known: Callable[[], Iterable[R]], deleted: Callable[[R], None]) -> None:
    """Tell of every known object that it was deleted, if the API does not list it. Errors of the API are logged.

    Args:
        client: with the right to list the kind in all namespaces.
        kind: of the objects.
        known: all that are believed to exist. What becomes known during the listing is not looked for.
        deleted: is told each object that no longer exists, and must take one that it has dropped already.
    """
    missing = {resource.metadata.uid: resource for resource in known()}
    if not missing:
        return
    try:
        async for listing in client.pages(kind, size=PAGE, metadata_only=True):
            for item in listing["items"]:
                missing.pop(item["metadata"]["uid"], None)
    except ClusterError as error:
        log.warning("deletions_not_checked", kind=kind.name, error=str(error))
        return
    for resource in missing.values():
        log.warning(
            "deletion_missed", kind=kind.name, namespace=resource.metadata.namespace, name=resource.metadata.name
        )
        deleted(resource)
