"""`showstopper preview`: what an experiment would hit, and with which rules, if it ran now. Nothing is changed."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from showstopper.api.experiment import Experiment
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.cli.kube import lookup, manifest
from showstopper.cli.kube.connection import Connection
from showstopper.cli.kube.feeds import Feeds
from showstopper.cli.views import output
from showstopper.cli.views.output import Form, FormOption
from showstopper.cli.views.preview import Preview, document, show
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM
from showstopper.engine.experiments import schedule as schedules
from showstopper.engine.planning import plan, planner
from showstopper.engine.planning.plan import Plan
from showstopper.engine.rooms import media_paths
from showstopper.engine.runs import requests
from showstopper.errors import Forbidden


def command(
    context: typer.Context,
    file_or_name: Annotated[
        str, typer.Argument(metavar="FILE_OR_NAME", help="Manifest file, or name of an experiment.")
    ],
    form: FormOption = Form.SHORT,
) -> None:
    """Show which pods an experiment would hit now, by which rules, and why it would be refused.

    Exit codes: 0 it would run, 2 it would be refused, 4 error.
    """
    preview = asyncio.run(_preview(context.obj, file_or_name))
    if form.for_programs:
        document(preview, form)
    else:
        show(preview, output.screen())
    raise typer.Exit(preview.exit_code)


async def _preview(connection: Connection, file_or_name: str) -> Preview:
    async with connection.open() as client:
        experiment, room, runs = await _subject(client, connection, file_or_name)
        made, addresses = await _plan(client, experiment, room, runs)
    schedule = schedules.of(experiment.spec)
    if isinstance(schedule, Finding):
        return Preview(made, schedule, addresses)
    return Preview(made, planner.objection(made, addresses), addresses, schedule)


async def _subject(
    client: Client, connection: Connection, file_or_name: str
) -> tuple[Experiment, AudioRoom, list[ExperimentRun]]:
    """The experiment, its room, and its runs. The room may be in the same file, and not in the cluster yet."""
    experiment, rooms = await _declared(client, connection, file_or_name)
    namespace, name = experiment.metadata.namespace, experiment.spec.room_ref.name
    room = rooms.get(name) or AudioRoom.parse(await lookup.get(client, AUDIO_ROOM, namespace, name))
    room.metadata.namespace = namespace
    runs = await lookup.runs(client, experiment) if experiment.metadata.uid else []
    return experiment, room, runs


async def _declared(
    client: Client, connection: Connection, file_or_name: str
) -> tuple[Experiment, dict[str, AudioRoom]]:
    """The experiment, and the rooms that its file declares, by name."""
    if not manifest.is_file(file_or_name):
        return await lookup.experiment(client, connection.namespace, file_or_name), {}
    given = connection.given_namespace is not None
    contents = manifest.read(Path(file_or_name), connection.namespace, namespace_given=given)
    rooms = [AudioRoom.parse(body) for kind, body in contents.objects if kind is AUDIO_ROOM]
    return Experiment.parse(contents.experiment), {room.metadata.name: room for room in rooms}


async def _plan(
    client: Client, experiment: Experiment, room: AudioRoom, runs: Sequence[ExperimentRun]
) -> tuple[Plan, Mapping[str, Sequence[str]]]:
    """The plan of a run that began now, as the operator makes it, and the addresses of its faults' peers."""
    namespace, faults = room.metadata.namespace, experiment.spec.faults
    feeds = Feeds(client, namespace, room.metadata.name, Clock())
    await feeds.once()
    try:
        serving = media_paths.serving(feeds.timeline, feeds.now())
        snapshot, _ = await planner.look(client, room, faults, serving)
    except Forbidden as error:
        raise Forbidden(f"cannot read namespace {namespace}, its label and its pods: {error}") from error
    made = plan.make(snapshot, faults, requests.seed(experiment, requests.next_of(experiment, runs)))
    return made, await planner.read_peers(client, room, made)
