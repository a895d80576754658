"""`showstopper gate`: whether a release may proceed."""

import asyncio
import re
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from showstopper.api import conditions
from showstopper.api.conditions import ConditionType
from showstopper.api.experiment import Experiment
from showstopper.api.gate import ReleaseGate, Requirement
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.cli.exit_codes import ExitCode, problem
from showstopper.cli.kube import lookup, self_review
from showstopper.cli.kube.connection import Connection
from showstopper.cli.views import output, tables
from showstopper.cli.views.output import FormOption, OutputFormat
from showstopper.clock import from_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM, EXPERIMENT, EXPERIMENT_RUN, RELEASE_GATE
from showstopper.engine.gates import deciding
from showstopper.engine.gates.deciding import Answer, Situation
from showstopper.engine.rooms import deployed
from showstopper.errors import NotFound

STALE_SECONDS = 120.0
"""The operator renews the time every minute. Twice that, as a late write is no dead operator."""

_DIGEST = re.compile("sha256:[0-9a-f]{64}")
"""OCI image specification, descriptor.md: registered algorithms. containerd and CRI-O report sha256."""


def command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a ReleaseGate.")],
    image: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Decide for this image instead of the deployed ones.")
    ] = None,
    form: FormOption = OutputFormat.SHORT,
) -> None:
    """Print whether a release may proceed, and why.

    The command looks at the workloads and pods itself: it is closed if the gate's status is about another release, has
    expired, or is older than two minutes.

    An image is named by its digest, such as sha256:4f53... It need not be deployed, but must have been tested: the
    newest run with it decides.

    Exit codes: 0 open, 1 closed, 2 not known yet (runs are missing) or suspended, 4 error, 64 that is no digest.
    """
    raise typer.Exit(asyncio.run(_gate(context.obj, name, image, form)))


async def _gate(connection: Connection, name: str, image: str | None, form: OutputFormat) -> ExitCode:
    digest = image.rpartition("@")[2] if image is not None else None
    if digest is not None and not _DIGEST.fullmatch(digest):
        problem(
            f'--image "{image}" is no digest: a tag can be pushed again. Write sha256: and 64 hexadecimal '
            "digits, such as the output of: crane digest REPOSITORY:TAG"
        )
        return ExitCode.USAGE
    async with connection.open() as client:
        gate = ReleaseGate.parse(await lookup.get(client, RELEASE_GATE, connection.namespace, name))
        where = f"{gate.metadata.namespace}/{name}"
        situation = await _situation(client, gate)
    if digest is not None:
        answer = deciding.for_image(situation, digest)
        if answer is None:
            problem(f"gate {where} has no run against image {digest}: deploy it, and run the gate's experiments")
            return ExitCode.INCONCLUSIVE
        return _show(gate, answer, form)
    ready = conditions.find(gate.status.conditions, ConditionType.READY)
    if ready is None or gate.status.observed_generation < gate.metadata.generation:
        problem(f"gate {where}: the operator has not observed it yet")
        return ExitCode.INCONCLUSIVE
    return _show(gate, _checked(gate, _recorded(gate), deciding.decide(situation), situation.now), form)


async def _situation(client: Client, gate: ReleaseGate) -> Situation:
    """What is known now, for a decision made here. What is deployed is read last: nothing else is newer.

    The time is the API server's: it decides which pass is too old.
    """
    namespace = gate.metadata.namespace
    try:
        room = AudioRoom.parse(await client.get(AUDIO_ROOM, namespace, gate.spec.room_ref.name))
    except NotFound:
        room = None
    experiments = [Experiment.parse(body) for body in await client.list(EXPERIMENT, namespace)]
    runs = [ExperimentRun.parse(body) for body in await client.list(EXPERIMENT_RUN, namespace)]
    return Situation(
        gate=gate,
        room=room,
        deployed=await deployed.look(client, room, gate.spec.components) if room is not None else None,
        experiments={experiment.metadata.name: experiment for experiment in experiments},
        runs=runs,
        seen_seconds=deciding.GRACE_SECONDS,
        quiet_seconds=deciding.GRACE_SECONDS,
        now=await self_review.server_time(client),
    )


def _checked(gate: ReleaseGate, recorded: Answer, looked: Answer, now: float) -> Answer:
    """The operator's answer, unless what is seen here says that it is not about what is deployed now. Pure."""
    observed_at = gate.status.observed_at
    age = now - from_timestamp(observed_at) if observed_at else None
    if not recorded.open:
        return recorded if list(recorded.images) == list(looked.images) or looked.open else looked
    if not looked.open:
        return looked
    if age is None or age > STALE_SECONDS:
        since = f"since {observed_at}" if observed_at else "at all"
        message = f"the operator has not looked {since}: is it running? showstopper doctor says more"
        return replace(looked, outlook=conditions.in_progress(Reason.ANSWER_STALE, message))
    if list(recorded.images) != list(looked.images):
        message = "the operator has not answered for this release yet: ask again"
        return replace(looked, outlook=conditions.in_progress(Reason.ANSWER_STALE, message))
    return recorded


def _recorded(gate: ReleaseGate) -> Answer:
    """The operator's decision on the deployed release, from the gate's status."""
    ready = next(condition for condition in gate.status.conditions if condition.type == ConditionType.READY)
    outlook = conditions.Outlook(
        Reason.parse(ready.reason),
        ready.message,
        ready=ready.status,
        reconciling=conditions.is_true(gate.status.conditions, ConditionType.RECONCILING),
        stalled=conditions.is_true(gate.status.conditions, ConditionType.STALLED),
        suspended=conditions.is_true(gate.status.conditions, ConditionType.SUSPENDED),
    )
    return Answer(outlook, tuple(gate.status.release), tuple(gate.status.experiments))


def _show(gate: ReleaseGate, answer: Answer, form: OutputFormat) -> ExitCode:
    if form.for_programs:
        body = {
            "gate": gate.metadata.name,
            "open": answer.open,
            "reason": str(answer.outlook.reason),
            "message": answer.outlook.message,
            "release": [dump(image) for image in answer.images],
            "experiments": [dump(requirement) for requirement in answer.requirements],
        }
        output.document(body, form)
    else:
        output.screen().print(draw(answer))
    if answer.open:
        return ExitCode.PASSED
    return ExitCode.FAILED if answer.outlook.stalled else ExitCode.INCONCLUSIVE


def draw(answer: Answer) -> Group:
    """Whether it is open, why, for which images, and a row for each experiment. Pure."""
    if answer.open:
        word = Text("Open", style="bold green")
    else:
        word = Text("Closed", style="bold red" if answer.outlook.stalled else "bold yellow")
    table = tables.of("experiment", "state", "run", "valid until", "")
    for required in answer.requirements:
        table.add_row(required.name, required.state, required.run or "-", _until(required), required.message or "")
    images = [Text(f"{image.component}  {image.image}  {image.digest}", style="dim") for image in answer.images]
    head = Text.assemble(word, f" ({answer.outlook.reason})")
    return Group(head, Text(answer.outlook.message), Text(), table, *images)


def _until(requirement: Requirement) -> str:
    """When the pass expires."""
    return requirement.expires_at[:16].replace("T", " ") + " UTC" if requirement.expires_at else "-"
