"""`showstopper preview`: what an experiment or each act of a game day would hit, and by which rules, if it ran now.

Nothing is changed.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.room import AudioRoom
from showstopper.availability.verdict import Finding
from showstopper.cli.exit_codes import ExitCode
from showstopper.cli.kube import lookup, subjects
from showstopper.cli.kube.connection import Connection
from showstopper.cli.kube.feeds import Feeds
from showstopper.cli.kube.manifest import Manifest
from showstopper.cli.views import output, preview
from showstopper.cli.views.output import Form, FormOption
from showstopper.cli.views.preview import Preview
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM, EXPERIMENT
from showstopper.engine.days import programme
from showstopper.engine.experiments import schedule as schedules
from showstopper.engine.planning import plan, planner
from showstopper.engine.rooms import media_paths
from showstopper.engine.rooms.pods import MediaAddress
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import Request
from showstopper.errors import Forbidden


def command(
    context: typer.Context,
    file_or_name: Annotated[
        str,
        typer.Argument(metavar="FILE_OR_NAME", help="Manifest file, or name of an experiment or a game day."),
    ],
    form: FormOption = Form.SHORT,
) -> None:
    """Show which pods an experiment would hit now, by which rules, and why it would be refused.

    Of a game day it shows that of each act.

    Exit codes: 0 it would run, 2 it or an act would be refused, 4 error.
    """
    raise typer.Exit(asyncio.run(_preview(context.obj, file_or_name, form)))


async def _preview(connection: Connection, file_or_name: str, form: Form) -> ExitCode:
    async with connection.open() as client:
        subject = await subjects.find(client, connection, file_or_name)
        previews = Previews(client, subject if isinstance(subject, Manifest) else None)
        declared = _declared(subject)
        if isinstance(declared, GameDay):
            return _shown_acts(await previews.of_acts(declared), form)
        return _shown(await previews.of_experiment(declared), form)


def _declared(subject: Manifest | Experiment | GameDay) -> Experiment | GameDay:
    if not isinstance(subject, Manifest):
        return subject
    return Experiment.parse(subject.experiment) if subject.game_day is None else GameDay.parse(subject.game_day)


def _shown(planned: Preview, form: Form) -> ExitCode:
    if form.for_programs:
        preview.document(planned, form)
    else:
        preview.show(planned, output.screen())
    return planned.exit_code


def _shown_acts(acts: Mapping[str, Preview], form: Form) -> ExitCode:
    if form.for_programs:
        preview.document_acts(acts, form)
    else:
        preview.show_acts(acts, output.screen())
    return max(planned.exit_code for planned in acts.values())


class Previews:
    """Plans as the operator would make them now. Rooms and experiments of the file go before those of the cluster."""

    def __init__(self, client: Client, contents: Manifest | None) -> None:
        self._client = client
        rooms = contents.of_kind(AUDIO_ROOM) if contents is not None else []
        experiments = contents.of_kind(EXPERIMENT) if contents is not None else []
        self._rooms = {room.key: room for room in map(AudioRoom.parse, rooms)}
        self._experiments = {each.key: each for each in map(Experiment.parse, experiments)}
        self._serving: dict[tuple[str, str], Mapping[MediaAddress, int]] = {}

    async def of_experiment(self, experiment: Experiment) -> Preview:
        """What a run of the experiment would do."""
        runs = await lookup.runs(self._client, experiment) if experiment.metadata.uid else []
        return await self._of_request(experiment, requests.next_of(experiment, runs))

    async def of_acts(self, day: GameDay) -> dict[str, Preview]:
        """What the run of each act would do, by the act's name, if it were its turn now."""
        namespace = day.metadata.namespace
        acts: dict[str, Preview] = {}
        names = {act.experiment_ref.name for act in day.spec.acts if act.experiment_ref is not None}
        named = {name: await self._experiment(namespace, name) for name in sorted(names)}
        for act in day.spec.acts:
            experiment = programme.experiment_of(day, act, lambda _, name: named.get(name))
            assert experiment is not None, "it is in the act, or was found by its name"
            request = programme.request(day, act, day.status.performance + 1, experiment)
            acts[act.name] = await self._of_request(experiment, request)
        return acts

    async def _of_request(self, experiment: Experiment, request: Request) -> Preview:
        namespace, name = experiment.metadata.namespace, experiment.spec.room_ref.name
        room = self._rooms.get((namespace, name))
        if room is None:
            room = AudioRoom.parse(await lookup.get(self._client, AUDIO_ROOM, namespace, name))
        faults = experiment.spec.faults
        try:
            snapshot, _ = await planner.look(self._client, room, faults, await self._serves(room))
        except Forbidden as error:
            raise Forbidden(f"cannot read namespace {namespace}, its label and its pods: {error}") from error
        made = plan.make(snapshot, faults, requests.seed(experiment, request))
        addresses = await planner.read_peers(self._client, room, made)
        schedule = schedules.of(experiment.spec)
        if isinstance(schedule, Finding):
            return Preview(made, schedule, addresses)
        return Preview(made, planner.objection(made, addresses), addresses, schedule)

    async def _serves(self, room: AudioRoom) -> Mapping[MediaAddress, int]:
        """How many residents get their sound from which address. Asked once for each room."""
        if room.key not in self._serving:
            feeds = Feeds(self._client, *room.key, Clock())
            await feeds.once()
            self._serving[room.key] = media_paths.serving(feeds.timeline, feeds.now())
        return self._serving[room.key]

    async def _experiment(self, namespace: str, name: str) -> Experiment:
        declared = self._experiments.get((namespace, name))
        return declared if declared is not None else await lookup.experiment(self._client, namespace, name)
