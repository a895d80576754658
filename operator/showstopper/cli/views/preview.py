"""The view of a preview: what would happen if an experiment ran now, or a game day, for people or for programs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from showstopper.api.experiment import Fault
from showstopper.api.run import ChangeRecord
from showstopper.api.schema.base import dump
from showstopper.availability.verdict import Finding
from showstopper.cli.exit_codes import ExitCode
from showstopper.cli.views import output, tables
from showstopper.cli.views.output import OutputFormat
from showstopper.cli.views.rules import DEVICE, Rules, of_target
from showstopper.clock import Clock, to_timestamp
from showstopper.engine.experiments import schedule as schedules
from showstopper.engine.experiments.schedule import Schedule
from showstopper.engine.planning import plan
from showstopper.engine.planning.peers import peers_of
from showstopper.engine.planning.plan import Plan, PlannedFault
from showstopper.faults.effects import Pod
from showstopper.faults.workloads import fields


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen if an experiment ran now.

    Attributes:
        plan: the targets.
        refused: why it would not run. None: it would.
        peers: the addresses of the components that faults separate their targets from, by name.
        schedule: when it runs by itself. None: it has no schedule, or one that is refused.
    """

    plan: Plan
    refused: Finding | None
    peers: Mapping[str, Sequence[str]]
    schedule: Schedule | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the command."""
        return _code(self.refused)

    def rules(self) -> Iterator[tuple[PlannedFault, Pod, Rules]]:
        """Every target with its rules. There are none where it would be refused."""
        for planned in self.plan.faults:
            addresses = {address for name in peers_of(planned.fault) for address in self.peers.get(name, ())}
            for pod in planned.targets:
                yield planned, pod, self._rules(planned.fault, pod, sorted(addresses))

    def changes(self) -> list[ChangeRecord]:
        """What would be changed of objects, with what is there. Nothing where it would be refused."""
        return plan.changes(self.plan, to_timestamp(Clock().now())) if self.refused is None else []

    def _rules(self, fault: Fault, pod: Pod, peers: Sequence[str]) -> Rules:
        if self.refused is not None:
            return Rules("nobody")
        return of_target(fault, self.plan.snapshot.room, pod, peers)


@dataclass(frozen=True, slots=True)
class DayPreview:
    """What would happen if a game day were performed now.

    Attributes:
        acts: by the act's name.
        refused: why none of them would be performed. None: nothing keeps the day as a whole from beginning.
    """

    acts: Mapping[str, Preview]
    refused: Finding | None

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the command."""
        return max(map(_code, (self.refused, *(act.refused for act in self.acts.values()))))


def _code(refused: Finding | None) -> ExitCode:
    return ExitCode.PASSED if refused is None else ExitCode.INCONCLUSIVE


def show(preview: Preview, console: Console) -> None:
    """Print the plan with its rules, its next scheduled run, and why it would be refused."""
    made, refused = preview.plan, preview.refused
    rules = list(preview.rules())
    console.print(_targets(made, rules))
    for about, lines in _grouped(rules).items():
        console.print(f"\n{about}:", soft_wrap=True)
        for line in lines:
            console.print(f"  {line}", style="dim", soft_wrap=True, markup=False)
    for change in preview.changes():
        was, becomes = fields.shown(change.before), fields.shown(change.after)
        what = f"{fields.named(change.field)} of {change.kind} {change.name} from {was} to {becomes}"
        back = "and back" if change.lasts else "for good"
        console.print(f"\nfault {change.fault} would change {what}, {back}", soft_wrap=True, markup=False)
    console.print()
    if preview.schedule is not None:
        following = schedules.stamp(preview.schedule.after(Clock().now()))
        console.print(f"the next scheduled run is at {following}", style="dim")
    if refused is not None:
        _show_refusal(refused, console)
    else:
        text = "it would run; which relay serves is read again right before the injection"
        console.print(text, style="dim")


def _show_refusal(refused: Finding, console: Console) -> None:
    text = f"refused: {refused.reason}: {refused.message}"
    console.print(text, style="bold yellow", soft_wrap=True, markup=False)


def show_day(day: DayPreview, console: Console) -> None:
    """Print the previews of a game day's acts, in their order, and why none of them would be performed."""
    for number, (name, preview) in enumerate(day.acts.items(), 1):
        title = f"act {number} of {len(day.acts)}, {name}"
        console.print(title if number == 1 else f"\n{title}", style="bold", markup=False, highlight=False)
        show(preview, console)
    if day.refused is not None:
        console.print("\nthe game day", style="bold")
        _show_refusal(day.refused, console)


def _targets(made: Plan, rules: Sequence[tuple[PlannedFault, Pod, Rules]]) -> Table:
    table = tables.of("fault", "kind", "would hit", "node", "by", "carries sound to", "of pods")
    for planned, pod, setup in rules:
        heard = f"{sum(made.snapshot.serving.get(address, 0) for address in pod.media)} listeners"
        of = f"{len(planned.candidates)} of {planned.fault.component or planned.fault.aim.lower()}"
        table.add_row(planned.fault.name, planned.fault.kind, pod.name, pod.node, setup.by, heard, of)
    for planned in made.faults:
        if not planned.targets:
            table.add_row(planned.fault.name, planned.fault.kind, "nothing", "", "", "", str(len(planned.candidates)))
    return table


def _grouped(rules: Sequence[tuple[PlannedFault, Pod, Rules]]) -> dict[str, tuple[str, ...]]:
    """What is set up, once for all targets that get the same."""
    pods: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for planned, pod, setup in rules:
        for what, lines in (("rules", setup.lines), ("refused by the agent", setup.refused)):
            if lines:
                pods.setdefault((f"fault {planned.fault.name}, {what}", lines), []).append(pod.name)
    return {f"{about} on {', '.join(names)} (device {DEVICE.name})": lines for (about, lines), names in pods.items()}


def document(preview: Preview, form: OutputFormat) -> None:
    """Print it for a program, as JSON or YAML."""
    output.document(_body(preview), form)


def document_day(day: DayPreview, form: OutputFormat) -> None:
    """Print the previews of a game day's acts for a program, as JSON or YAML."""
    listed = [{"act": name, **_body(preview)} for name, preview in day.acts.items()]
    would_run = day.exit_code is ExitCode.PASSED
    output.document({"wouldRun": would_run, "refusal": _refusal(day.refused), "acts": listed}, form)


def _refusal(refused: Finding | None) -> dict[str, str] | None:
    return {"reason": str(refused.reason), "message": refused.message} if refused else None


def _body(preview: Preview) -> dict[str, Any]:
    targets = [
        {
            "fault": planned.fault.name,
            "kind": planned.fault.kind,
            "pod": pod.name,
            "uid": pod.uid,
            "node": pod.node,
            "address": pod.address,
            "by": setup.by,
            "refused": list(setup.refused),
            "rules": list(setup.lines),
        }
        for planned, pod, setup in preview.rules()
    ]
    return {
        "wouldRun": preview.refused is None,
        "refusal": _refusal(preview.refused),
        "targets": targets,
        "changes": [dump(change) for change in preview.changes()],
    }
