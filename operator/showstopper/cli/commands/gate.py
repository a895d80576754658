"""`showstopper gate`: whether a release may proceed."""

import asyncio
import time
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table
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
from showstopper.cli.kube import lookup
from showstopper.cli.kube.connection import Connection
from showstopper.cli.views import output
from showstopper.cli.views.output import Form, FormOption
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import AUDIO_ROOM, EXPERIMENT, EXPERIMENT_RUN, RELEASE_GATE
from showstopper.engine.gates import deciding
from showstopper.engine.gates.deciding import Answer, Situation


def command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a ReleaseGate.")],
    image: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Decide for this image instead of the deployed ones.")
    ] = None,
    form: FormOption = Form.SHORT,
) -> None:
    """Print whether a release may proceed, and why.

    An image is named by its digest, such as sha256:4f53... It need not be deployed, but must have been tested.

    Exit codes: 0 open, 1 closed, 2 not known yet (runs are missing), 4 error.
    """
    raise typer.Exit(asyncio.run(_gate(context.obj, name, image, form)))


async def _gate(connection: Connection, name: str, image: str | None, form: Form) -> ExitCode:
    async with connection.open() as client:
        gate = ReleaseGate.parse(await lookup.get(client, RELEASE_GATE, connection.namespace, name))
        if image is not None:
            digest = image.rpartition("@")[2]
            answer = deciding.for_image(await _situation(client, gate), digest)
            if answer is None:
                where = f"{gate.metadata.namespace}/{name}"
                problem(f"gate {where} has no run against image {digest}: deploy it, and run the gate's experiments")
                return ExitCode.INCONCLUSIVE
            return _show(gate, answer, form)
    ready = conditions.find(gate.status.conditions, ConditionType.READY)
    if ready is None or gate.status.observed_generation < gate.metadata.generation:
        problem(f"gate {gate.metadata.namespace}/{name}: the operator has not observed it yet")
        return ExitCode.INCONCLUSIVE
    return _show(gate, _recorded(gate), form)


async def _situation(client: Client, gate: ReleaseGate) -> Situation:
    """What is known now, for a decision made here: the operator decides for the deployed images only."""
    namespace = gate.metadata.namespace
    room = AudioRoom.parse(await lookup.get(client, AUDIO_ROOM, namespace, gate.spec.room_ref.name))
    experiments = [Experiment.parse(body) for body in await client.list(EXPERIMENT, namespace)]
    return Situation(
        gate=gate,
        room=room,
        images=tuple(room.status.release),
        experiments={experiment.metadata.name: experiment for experiment in experiments},
        runs=[ExperimentRun.parse(body) for body in await client.list(EXPERIMENT_RUN, namespace)],
        seen_seconds=deciding.GRACE_SECONDS,
        now=time.time(),
    )


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


def _show(gate: ReleaseGate, answer: Answer, form: Form) -> ExitCode:
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
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for title in ("experiment", "state", "run", "valid until", ""):
        table.add_column(title, overflow="fold")
    for required in answer.requirements:
        table.add_row(required.name, required.state, required.run or "-", _until(required), required.message or "")
    images = [Text(f"{image.component}  {image.image}  {image.digest}", style="dim") for image in answer.images]
    head = Text.assemble(word, f" ({answer.outlook.reason})")
    return Group(head, Text(answer.outlook.message), Text(), table, *images)


def _until(requirement: Requirement) -> str:
    """When the pass expires."""
    return requirement.expires_at[:16].replace("T", " ") + " UTC" if requirement.expires_at else "-"
