"""Subjects: what FILE_OR_NAME means: the resources of a file, or an experiment or a game day that is in the cluster."""

from pathlib import Path

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.cli.kube import lookup, manifest
from showstopper.cli.kube.connection import Connection
from showstopper.cli.kube.manifest import Manifest
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import GAME_DAY
from showstopper.errors import NotFound


async def find(client: Client, connection: Connection, file_or_name: str) -> Manifest | Experiment | GameDay:
    """The contents of the file, or the experiment of that name, or else the game day of that name.

    Raises:
        SettingsError: the file cannot be read.
        InvalidResource: the file holds something else.
        NotFound: there is neither an experiment nor a game day of that name.
    """
    if manifest.is_file(file_or_name):
        given = connection.given_namespace is not None
        return manifest.read(Path(file_or_name), connection.namespace, namespace_given=given)
    try:
        return await lookup.experiment(client, connection.namespace, file_or_name)
    except NotFound as missing:
        try:
            return GameDay.parse(await client.get(GAME_DAY, connection.namespace, file_or_name))
        except NotFound:
            raise missing from None
