"""Page: a report as one HTML file that asks for nothing else: it opens offline, prints, and runs no script."""

import re
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from showstopper.report import bullets, looks, plots, tables
from showstopper.report.drawing import NARROW, WIDE
from showstopper.report.record import Act, Day, Record
from showstopper.report.tables import Table
from showstopper.report.words import moment

MOST_ROWS = 60
_METADATA = ("name", "namespace", "uid", "labels", "annotations", "creationTimestamp")
"""What the YAML shows of a resource: what was asked for. The rest of the page is its status."""


def of_run(record: Record) -> str:
    """The page of one run."""
    run = record.run
    return _page(
        title=f"{run.spec.experiment.name} in {run.metadata.namespace}/{run.spec.room.name}",
        verdict=run.status.verdict,
        reason=run.status.reason or "",
        message=run.status.message or "",
        facts=_facts(record),
        acts=None,
        runs=[_run(record, "")],
    )


def of_day(day: Day) -> str:
    """The page of a game day: what came of the acts, then each act's run."""
    return _page(
        title=f"game day {day.name} in {day.namespace}",
        verdict=day.verdict or None,
        reason=day.reason,
        message=day.message,
        facts=[("began", moment(day.started_at)), ("ended", moment(day.finished_at))],
        acts=tables.acts(day),
        runs=[_act(number, act) for number, act in enumerate(day.acts, 1) if act.record is not None],
    )


def _facts(record: Record) -> list[tuple[str, str]]:
    run = record.run
    facts = [
        ("run", run.metadata.name),
        ("revision", run.spec.experiment.revision),
        ("began", moment(run.status.started_at)),
        ("ended", moment(run.status.finished_at)),
    ]
    return [(name, value) for name, value in facts if value]


def _act(number: int, act: Act) -> dict[str, Any]:
    assert act.record is not None
    return _run(act.record, f"Act {number}: {act.name}")


def _run(record: Record, heading: str) -> dict[str, Any]:
    """What the template says of a run. As an act of a day it has a heading of its own."""
    run, sizes = record.run, (WIDE, NARROW)
    has_heard = record.heard is not None or record.crowd is not None
    heard = [(size.name, _svg(plots.heard(record, size))) for size in sizes if has_heard]
    figures = [(size.name, _svg(drawn)) for size in sizes if (drawn := bullets.drawn(run, size))]
    return {
        "heading": heading,
        "look": looks.of_verdict(run.status.verdict),
        "status": run.status,
        "facts": _facts(record) if heading else [],
        "expectations": tables.expectations(run),
        "figures": figures,
        "heard": heard,
        "note": record.note if record.heard is None else "",
        "listeners": tables.listeners(record),
        "crowd": tables.crowd(record),
        "tables": _tables(record),
        "yaml": _yaml(record),
    }


def _tables(record: Record) -> list[Table]:
    run = record.run
    shown = (
        tables.faults(run),
        tables.targets(run),
        *tables.storms(run),
        tables.outages(run),
        *tables.of_crowd(run),
        tables.indicators(run),
        tables.steps(run),
        tables.versions(record),
    )
    return [table.shortened(MOST_ROWS) for table in shown]


def _yaml(record: Record) -> str:
    """The resource as it was asked for."""
    body, metadata = record.body, record.body.get("metadata", {})
    shown = {
        **{name: body[name] for name in ("apiVersion", "kind") if name in body},
        "metadata": {name: metadata[name] for name in _METADATA if metadata.get(name)},
        "spec": body.get("spec", {}),
    }
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=110)


def _svg(drawn: str) -> Markup:
    return Markup(drawn)  # noqa: S704 - our own drawing; whatever text is in it was escaped as XML


def _page(*, verdict: str | None, **values: Any) -> str:
    environment = Environment(
        loader=PackageLoader("showstopper.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    look = looks.of_verdict(verdict)
    text = environment.get_template("page.html.j2").render(verdict=verdict, look=look, **values)
    # Blank lines are the template's, but in the YAML, where they belong to a text.
    pieces = re.split(r"(<pre>.*?</pre>)", text, flags=re.DOTALL)
    pieces[::2] = [re.sub(r"\n\s*\n+", "\n", piece) for piece in pieces[::2]]
    return "".join(pieces) + "\n"
