"""The view of a verdict, and of what it rests on: expectations, proof, outages. Pure."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.cli.views import tables
from showstopper.report.words import asked, outage_end, proof, short_name, storm, unnamed

STYLES = {Verdict.PASSED: "bold green", Verdict.FAILED: "bold red"}
MOST_OUTAGES = 6


def draw(run: ExperimentRun, *, wide: bool = False) -> Group:
    """The verdict and its reasons. `wide` leaves nothing out."""
    status = run.status
    head = Text.assemble(
        (str(status.verdict or "No verdict yet"), style_of(status.verdict)), f" ({status.reason or 'under way'})"
    )
    parts: list[RenderableType] = [head, Text(status.message or "")]
    if status.expectations:
        parts += [Text(), _expectations(run)]
    if status.targets:
        parts += [Text(), *_targets(run, wide=wide)]
    if storms := [record for record in status.faults if record.storm is not None]:
        parts += [Text(), *(Text(f"{record.name}: {storm(run, record)}") for record in storms)]
    if status.outages:
        parts += [Text(), *_outages(run, wide=wide)]
    if wide and status.windows:
        parts += [Text(), _windows(run)]
    return Group(*parts, Text(), Text(f"run {run.metadata.namespace}/{run.metadata.name}", style="dim"))


def style_of(verdict: str | None) -> str:
    """The style in which a verdict is drawn."""
    return STYLES.get(Verdict(verdict), "bold yellow") if verdict in list(Verdict) else "bold"


def _expectations(run: ExperimentRun) -> Table:
    table = tables.of("expected", "bound", "measured", "margin", "")
    styles = {"Met": "green", "Missed": "bold red"}
    for record in run.status.expectations:
        bound = asked(record.min, record.max)
        outcome = Text(record.outcome, style=styles.get(record.outcome, "yellow"))
        table.add_row(record.indicator, bound, record.value or "-", record.margin or "-", outcome)
    return table


def _targets(run: ExperimentRun, *, wide: bool) -> list[RenderableType]:
    table = tables.of("fault", "hit", "proof", *(["uid", "node"] if wide else []))
    for target in run.status.targets:
        more = [target.uid, target.node] if wide else []
        table.add_row(target.fault, target.pod, proof(run, target), *more)
    return [table, *([Text(rest, style="dim")] if (rest := unnamed(run)) else [])]


def _outages(run: ExperimentRun, *, wide: bool) -> list[RenderableType]:
    table = tables.of("listener", "lost after", "dead air", "connected but silent", "media missing", "")
    shown = run.status.outages if wide else run.status.outages[:MOST_OUTAGES]
    for outage in shown:
        ended = "" if outage.recovered else outage_end(outage)
        figures = (outage.after, outage.dead_air, outage.silence, outage.missing)
        table.add_row(short_name(outage.listener), *(figure or "-" for figure in figures), ended)
    rest = len(run.status.outages) - len(shown)
    return [table, *([Text(f"and {rest} shorter ones (-o wide shows them)", style="dim")] if rest else [])]


def _windows(run: ExperimentRun) -> Table:
    table = tables.of("window", "indicator", "value", "samples", "worst", "")
    for window in run.status.windows:
        for record in window.indicators:
            worst = (
                f"{short_name(record.worst_listener)}: {record.worst}" if record.worst_listener and record.worst else ""
            )
            table.add_row(
                window.name, record.indicator, record.value or "-", str(record.samples), worst, record.reason or ""
            )
    return table
