"""`showstopper preview`: what an experiment would hit, and with which rules, if it ran now. Nothing is changed."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from showstopper.api.experiment import Experiment
from showstopper.api.room import AudioRoom
from showstopper.availability.spans import Kind
from showstopper.availability.verdict import Finding
from showstopper.cli.kube import lookup, manifest
from showstopper.cli.kube.connection import Connection
from showstopper.cli.kube.feeds import Feeds
from showstopper.cli.views import output
from showstopper.cli.views.output import Form, FormOption
from showstopper.cli.views.preview import Preview, document, show
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM, NAMESPACE
from showstopper.engine.experiments import schedule as schedules
from showstopper.engine.experiments.schedule import Schedule
from showstopper.engine.hands.agent import asking
from showstopper.engine.planning import peers, plan, policies
from showstopper.engine.planning.plan import Snapshot
from showstopper.engine.rooms.pods import component_pods
from showstopper.engine.runs import requests
from showstopper.errors import Forbidden

# As the operator has it: media flows to a listener if its last packet is younger.
FRESH_SECONDS = 3.0


def command(
    context: typer.Context,
    file_or_name: Annotated[str, typer.Argument(metavar="FILE_OR_NAME", help="A manifest, or an experiment's name.")],
    form: FormOption = Form.SHORT,
) -> None:
    """Show which pods an experiment would hit now, by which rules, and why it would be refused.

    Exit: 0 it would run, 2 refused.
    """
    previewed = asyncio.run(_preview(context.obj, file_or_name))
    if form.for_programs:
        document(previewed, form)
    else:
        show(previewed, output.screen())
    raise typer.Exit(previewed.ending)


async def _preview(connection: Connection, file_or_name: str) -> Preview:
    async with connection.open() as client:
        experiment, declared = await _declared(client, connection, file_or_name)
        namespace = experiment.metadata.namespace
        room = declared.get(experiment.spec.room_ref.name)
        if room is None:
            room = AudioRoom.parse(await lookup.get(client, AUDIO_ROOM, namespace, experiment.spec.room_ref.name))
        feeds = Feeds(client, namespace, room.metadata.name, Clock())
        await feeds.once()
        snapshot = await _snapshot(client, experiment, room, serving(feeds))
        room.metadata.namespace = namespace
        wanted = {name for fault in experiment.spec.faults for name in asking.peers_of(fault)}
        addresses = await peers.addresses(client, room, wanted)
    seed = requests.seed(experiment, requests.wanted(experiment))
    made = plan.make(snapshot, experiment.spec.faults, seed)
    schedule = schedules.of(experiment.spec)
    refused = schedule if isinstance(schedule, Finding) else policies.refusal(made) or asking.without_peers(addresses)
    return Preview(made, refused, addresses, schedule if isinstance(schedule, Schedule) else None)


async def _declared(
    client: Client, connection: Connection, file_or_name: str
) -> tuple[Experiment, dict[str, AudioRoom]]:
    """The experiment, and the rooms that its file declares (they may not be in the cluster yet)."""
    if not manifest.is_file(file_or_name):
        return await lookup.experiment(client, connection.namespace, file_or_name), {}
    given = connection.given_namespace is not None
    read = manifest.read(Path(file_or_name), connection.namespace, namespace_given=given)
    rooms = [AudioRoom.parse(body) for kind, body in read.objects if kind is AUDIO_ROOM]
    return Experiment.parse(read.experiment), {room.metadata.name: room for room in rooms}


async def _snapshot(client: Client, experiment: Experiment, room: AudioRoom, serving: dict[str, int]) -> Snapshot:
    namespace = experiment.metadata.namespace
    named = {fault.component for fault in experiment.spec.faults}
    room.metadata.namespace = namespace
    return Snapshot(
        namespace=namespace,
        room_name=room.metadata.name,
        room=room.spec,
        namespace_labels=await _labels(client, namespace),
        pods={
            component.name: [plan.pod(body, serving) for body in await component_pods(client, room, component)]
            for component in room.spec.components
            if component.name in named
        },
        serving=serving,
    )


async def _labels(client: Client, namespace: str) -> dict[str, str]:
    """The namespace's labels. Who may not read it gets the answer that its label is not known to be there."""
    try:
        body = await client.get(NAMESPACE, "", namespace)
    except Forbidden as error:
        raise Forbidden(f"whether namespace {namespace} allows experiments cannot be seen: {error}") from error
    labels: dict[str, str] = body["metadata"].get("labels", {})
    return labels


def serving(feeds: Feeds) -> dict[str, int]:
    """By address of a relay, how many residents get media from it now."""
    found: dict[str, int] = {}
    now = feeds.now()
    for sample in feeds.timeline.latest().values():
        if sample.kind is not Kind.RESIDENT or sample.relay_address is None or sample.last_packet_at is None:
            continue
        if now - min(sample.last_packet_at, sample.sampled_at) < FRESH_SECONDS:
            found[sample.relay_address] = found.get(sample.relay_address, 0) + 1
    return found
