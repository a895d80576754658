"""Terminal: the live picture of a run, a row per listener and one for the crowd, the fault and the figures. Pure."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from showstopper.api import conditions
from showstopper.api.run import ExperimentRun, Step, StepName
from showstopper.availability import summary
from showstopper.availability.indicators.listening import audible_ratio
from showstopper.availability.spans import DEAD, State
from showstopper.availability.summary import Row
from showstopper.availability.tracks import Track
from showstopper.cli.live import strip
from showstopper.cli.live.snapshot import LiveSnapshot, planned_seconds
from showstopper.clock import from_timestamp
from showstopper.engine.runs import windows
from showstopper.report import looks
from showstopper.report.words import asked, short_name

# The width of the columns beside the strip, and the number of lines that are not listeners.
SIDE_COLUMNS = 46
OTHER_LINES = 14
MOST_SECONDS = 120
LEAST_SECONDS = 16

Cells = tuple[str, Text, Text, str, str]


def draw(snapshot: LiveSnapshot, *, width: int, height: int) -> Group:
    """The picture for a terminal of that size."""
    columns = max(LEAST_SECONDS, min(MOST_SECONDS, width - SIDE_COLUMNS))
    view = snapshot.view(columns)
    parts: list[RenderableType] = [_title(snapshot.run), _steps(snapshot)]
    if snapshot.note:
        parts.append(Text(snapshot.note, style="yellow"))
    listeners = list(zip(view.residents, summary.rows(view), strict=True))
    crowd = _crowd(snapshot, columns)
    room = max(1, height - OTHER_LINES - len(crowd))
    shown = listeners if len(listeners) <= room else _worst(listeners, room)
    parts.append(_listeners(snapshot, shown, crowd, columns))
    if len(shown) < len(listeners):
        parts.append(Text(f"  and {len(listeners) - len(shown)} more that fare better", style="dim"))
    strips = [*(strip.draw(track, view.window, columns) for track, _ in shown), *(row[2] for row in crowd)]
    characters = {letter for drawn in strips for letter in drawn.plain}
    states = {state for state, look in looks.STATES.items() if look.character in characters}
    parts += [strip.legend(states), _figures(snapshot)]
    return Group(*parts)


def _title(run: ExperimentRun) -> Text:
    spec = run.spec
    text = Text.assemble((spec.experiment.name, "bold"), f" in room {run.metadata.namespace}/{spec.room.name}")
    return text.append(f", run {run.metadata.name}", style="dim")


def _steps(snapshot: LiveSnapshot) -> Text:
    """The steps so far with their times. The current one shows what is left of it."""
    text = Text()
    for step in snapshot.run.status.steps:
        text.append(" → " if text else "")
        text.append_text(_step(snapshot, step))
    if not text:
        ready = conditions.find(snapshot.run.status.conditions, conditions.ConditionType.READY)
        text.append(ready.message if ready and ready.message else "waiting for the operator", style="yellow")
    return text


def _step(snapshot: LiveSnapshot, step: Step) -> Text:
    start = from_timestamp(step.started_at)
    if step.name is StepName.JUDGED:
        return Text(step.name, style="bold")
    ended = step.completed_at or snapshot.run.status.finished_at
    if ended is not None:
        return Text(f"{step.name} {from_timestamp(ended) - start:.1f}s", style="dim")
    spent = max(0.0, snapshot.now - start)
    text = Text(f"{step.name} {spent:.0f}s", style="bold cyan")
    planned = planned_seconds(snapshot.run, step)
    if planned is not None:
        text.append(f", {max(0.0, planned - spent):.0f}s left", style="cyan")
    return text


def _crowd(snapshot: LiveSnapshot, columns: int) -> list[Cells]:
    """The row of the room's crowd, if it has one: what most of those hear who miss the host, and figures of all."""
    if snapshot.crowd is None:
        return []
    view = snapshot.crowd_view(columns)
    if view is None:
        return [("crowd", Text(State.UNKNOWN, style=strip.STYLES[State.UNKNOWN]), Text(), "", "")]
    window = snapshot.view(columns).window
    known = [state for state in strip.crowd_cells(view, window, columns) if state is not None]
    now = known[-1] if known else State.UNKNOWN
    audible = audible_ratio(view).value
    dead_air = max((row.longest_dead_air for row in summary.rows(view)), default=0.0)
    return [
        (
            "crowd",
            Text(now, style=strip.STYLES[now]),
            strip.draw_crowd(view, window, columns),
            summary.share(audible) if audible is not None else "",
            summary.duration(dead_air) if dead_air > 0 else "",
        )
    ]


def _listeners(
    snapshot: LiveSnapshot, shown: Iterable[tuple[Track, Row]], crowd: Iterable[Cells], columns: int
) -> Table:
    window = snapshot.view(columns).window
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("listener", max_width=14, no_wrap=True)
    table.add_column("now", width=11, no_wrap=True)
    table.add_column(f"the last {columns} s", width=columns, no_wrap=True)
    table.add_column("audible", justify="right", no_wrap=True)
    table.add_column("dead air", justify="right", no_wrap=True)
    for record in snapshot.run.status.faults:
        injected = windows.injected_at(snapshot.run)
        mark = strip.marker(injected, window, columns, record.name) if injected is not None else Text()
        table.add_row(Text("fault", style="bold"), record.kind, mark, "", "proven" if record.proven else "not yet")
    for track, row in shown:
        # The last second is not reported yet, which is no change of state.
        state = _newest(track)
        table.add_row(
            short_name(track.listener),
            Text(state, style=strip.STYLES[state]),
            strip.draw(track, window, columns),
            summary.share(row.audible) if row.audible is not None else "",
            summary.duration(row.longest_dead_air) if row.outages else "",
        )
    for cells in crowd:
        table.add_row(*cells)
    return table


def _newest(track: Track) -> State:
    known = [span for span in track.spans if span.state is not State.UNKNOWN]
    late = bool(track.spans) and track.spans[-1].state is State.UNKNOWN and track.spans[-1].seconds > 3
    return known[-1].state if known and not late else State.UNKNOWN


def _worst(listeners: list[tuple[Track, Row]], most: int) -> list[tuple[Track, Row]]:
    """The listeners that fare worst now, then in the time shown. In the order of their names."""
    ranked = sorted(
        listeners, key=lambda pair: (pair[1].state not in DEAD, -pair[1].longest_dead_air, pair[1].audible or 0.0)
    )[:most]
    return [pair for pair in listeners if pair in ranked]


def _figures(snapshot: LiveSnapshot) -> Table:
    """Every indicator with an expectation, and its bound. Before the injection there is no value yet."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for title in ("indicator", "so far", "expected"):
        table.add_column(title, no_wrap=True, justify="left" if title == "indicator" else "right")
    results = {result.measured: result for result in snapshot.measured()}
    for expected in snapshot.run.spec.expect:
        result = results.get(expected.measured)
        value = summary.measurement(result).get("value", "…") if result is not None else "…"
        table.add_row(expected.measured.name, str(value), asked(expected.min, expected.max))
    return table
