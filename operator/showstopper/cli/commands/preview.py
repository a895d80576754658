"""`showstopper preview`: what an experiment or each act of a game day would hit, and by which rules, if it ran now.

Nothing is changed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import typer

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.room import AudioRoom
from showstopper.availability.verdict import Finding
from showstopper.cli.exit_codes import ExitCode, note
from showstopper.cli.kube import lookup, stop_switches, subjects
from showstopper.cli.kube.connection import Connection
from showstopper.cli.kube.feeds import Feeds
from showstopper.cli.kube.manifest import Manifest
from showstopper.cli.views import output, preview
from showstopper.cli.views.output import FormOption, OutputFormat
from showstopper.cli.views.preview import DayPreview, Preview
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM, EXPERIMENT, POLICY_BINDING
from showstopper.engine import stop_switch
from showstopper.engine.days import preludes, programme
from showstopper.engine.days.steps import Situation
from showstopper.engine.experiments import schedule as schedules
from showstopper.engine.planning import plan, planner
from showstopper.engine.rooms import media_paths
from showstopper.engine.rooms.pods import MediaAddress
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import Request
from showstopper.errors import Forbidden, NotFound


def command(
    context: typer.Context,
    file_or_name: Annotated[
        str,
        typer.Argument(metavar="FILE_OR_NAME", help="Manifest file, or name of an experiment or a game day."),
    ],
    form: FormOption = OutputFormat.SHORT,
) -> None:
    """Show which pods an experiment would hit now, by which rules, and why it would be refused.

    Of a game day it shows that of each act, and why none of them would be performed.

    Exit codes: 0 it would run, 2 it or an act would be refused, 4 error. What you may not read is named on stderr, and
    not checked: the stop switch, and the policy for approvals.
    """
    raise typer.Exit(asyncio.run(_preview(context.obj, file_or_name, form)))


async def _preview(connection: Connection, file_or_name: str, form: OutputFormat) -> ExitCode:
    async with connection.open() as client:
        subject = await subjects.find(client, connection, file_or_name)
        previews = Previews(client, subject if isinstance(subject, Manifest) else None)
        declared = _declared(subject)
        stopped = await _stopped(client)
        if isinstance(declared, GameDay):
            return _shown_day(await previews.of_day(declared, stopped), form)
        planned = await previews.of_experiment(declared)
        return _shown(replace(planned, refused=planned.refused or stopped), form)


async def _stopped(client: Client) -> Finding | None:
    """Why nothing at all would run now."""
    try:
        for namespace in await stop_switches.namespaces(client):
            if (reason := await stop_switches.reason_in(client, namespace)) is not None:
                return stop_switch.stopped(namespace, reason)
    except NotFound:
        return None  # nobody watches a switch
    except Forbidden as error:
        note(f"whether the stop switch is set was not checked: {error}")
    return None


def _declared(subject: Manifest | Experiment | GameDay) -> Experiment | GameDay:
    if not isinstance(subject, Manifest):
        return subject
    return Experiment.parse(subject.experiment) if subject.game_day is None else GameDay.parse(subject.game_day)


def _shown(planned: Preview, form: OutputFormat) -> ExitCode:
    if form.for_programs:
        preview.document(planned, form)
    else:
        preview.show(planned, output.screen())
    return planned.exit_code


def _shown_day(planned: DayPreview, form: OutputFormat) -> ExitCode:
    if form.for_programs:
        preview.document_day(planned, form)
    else:
        preview.show_day(planned, output.screen())
    return planned.exit_code


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

    async def of_day(self, day: GameDay, stopped: Finding | None) -> DayPreview:
        """What the run of each act would do if it were its turn now, and whether the day would begin at all.

        The operator's own questions are asked, of the same situation. `stopped`: why nothing may run.
        """
        experiments = await self._by_act(day)
        requested = {
            act.name: programme.request(day, act, day.status.performance + 1, experiments[act.name])
            for act in day.spec.acts
        }
        acts = {name: await self._of_request(experiments[name], request) for name, request in requested.items()}
        situation = Situation(
            day=day,
            experiments=experiments,
            rooms={experiment.spec.room_ref.name for experiment in experiments.values()},  # the acts were planned there
            runs={},
            guarded=await self._guarded(day),
            stopped=stopped,
            seen_seconds=0.0,
            now=Clock().now(),
        )
        return DayPreview(acts, preludes.refusal(situation) or stopped)

    async def _guarded(self, day: GameDay) -> bool:
        """Whether the API server checks approvals, as far as the caller may know."""
        if not programme.approved_acts(day):
            return True
        try:
            await self._client.get(POLICY_BINDING, "", preludes.APPROVALS_POLICY)
        except NotFound:
            return False
        except Forbidden as error:
            note(f"whether anybody can approve {', '.join(programme.approved_acts(day))} was not checked: {error}")
        return True

    async def _by_act(self, day: GameDay) -> dict[str, Experiment]:
        """What each act runs, by the act's name."""
        namespace = day.metadata.namespace
        experiments: dict[str, Experiment] = {}
        names = {act.experiment_ref.name for act in day.spec.acts if act.experiment_ref is not None}
        named = {name: await self._experiment(namespace, name) for name in sorted(names)}
        for act in day.spec.acts:
            experiment = programme.experiment_of(day, act, lambda _, name: named.get(name))
            assert experiment is not None, "it is in the act, or was found by its name"
            experiments[act.name] = experiment
        return experiments

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
