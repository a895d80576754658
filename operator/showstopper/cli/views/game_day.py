"""The view of a game day: its acts, its verdict and its worst figures. Pure."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from showstopper.api.game_day import ActRecord, GameDay
from showstopper.cli.kube import lookup
from showstopper.cli.views import tables
from showstopper.cli.views.verdict import style_of

_COLUMNS = ("act", "hold", "run", "verdict", "audible", "dead air", "recovery", "")


def draw(day: GameDay) -> Group:
    """Its verdict or state, its acts, and its worst figures."""
    status = day.status
    ready = lookup.ready_condition(day)
    judged = status.verdict is not None and ready is not None
    head = Text.assemble(
        (str(status.verdict) if judged else "No verdict yet", style_of(status.verdict if judged else None)),
        f" ({ready.reason if ready else 'not observed yet'})",
    )
    message = status.message if judged else lookup.summary(day)
    parts: list[RenderableType] = [head, Text(message or ""), Text(), _acts(day)]
    if status.indicators:
        parts += [Text(), _worst(day)]
    return Group(*parts, Text(), Text(f"game day {day.metadata.namespace}/{day.metadata.name}", style="dim"))


def _acts(day: GameDay) -> Table:
    table = tables.of(*_COLUMNS)
    records = {record.name: record for record in day.status.acts}
    for act in day.spec.acts:
        record = records.get(act.name, ActRecord(name=act.name))
        verdict = Text(record.verdict or ("under way" if record.begun else "-"), style=style_of(record.verdict))
        figures = (record.audible, record.dead_air, record.recovery)
        reason = (record.reason or "") if record.verdict else ""
        table.add_row(
            act.name, _hold(record), record.run or "-", verdict, *(figure or "-" for figure in figures), reason
        )
    return table


def _hold(record: ActRecord) -> str:
    hold = record.hold
    if hold is None:
        return "-"
    if hold.approver is not None:
        return f"approved by {hold.approver}"
    return "over" if hold.ended_at is not None else f"until {hold.until.partition('.')[0]}Z"


def _worst(day: GameDay) -> Table:
    table = tables.of("indicator", "worst", "in act", "measured in")
    over = sum(1 for record in day.status.acts if record.verdict is not None)
    for worst in day.status.indicators:
        table.add_row(worst.indicator, worst.worst, worst.act, f"{worst.measured_in} of {over} acts")
    return table
