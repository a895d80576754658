"""What listeners hear under each fault: real runs on the staged room, one for each row of docs/faults.md and more.

Some can be measured again alone: rows of the page that are not measured stay as they are. Needs root and the embedded
cluster.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from bench import doses, fault_page, fault_pictures, report
from bench.counting import Counting
from bench.doses import Row
from bench.fault_page import PAGE, Measured
from dev import stage
from dev.cluster import api, endings, errors, lock, progress
from showstopper.clock import from_timestamp
from tests.support.staged_room import Api, Object, Show

BASELINE, RECOVERY = "10s", "60s"
"""A room has recovered when it was heard for ten seconds: a shorter recovery has no figure for what is felt longer."""
ATTEMPTS = 3
"""How often a row is tried: what the row before did to the room may be felt in its baseline."""

RESULTS = report.FOLDER / "faults.json"
MACHINE = f"two nodes on {os.cpu_count()} cores, Linux {platform.release().partition('-')[0]}"
FOOTING = f"Measured on the embedded cluster: {MACHINE}; with a recovery of {RECOVERY}."


class UnmeasuredError(errors.ClusterError):
    """The run ended before its fault: the room was not well enough yet."""


@retry(retry=retry_if_exception_type(UnmeasuredError), stop=stop_after_attempt(ATTEMPTS), reraise=True)
def measure(show: Show, row: Row) -> Measured:
    """One run of a row, when the room is well. When it was not, after all, another one."""
    show.wait_until_well()
    with Counting(show.addresses("listener")) as counting:
        show.apply(experiment(row, f"{time.time():.0f}"))
        _, run = show.verdict(f"table-{row.name}")
        start, end = lasted(run)
        time.sleep(2)  # the last reading is after the end
        fault_pictures.draw(show, row, run)
        counts = counting.between(start, end)
    show.clean()
    lost, concealed = (counts.lost_share, counts.concealed_share) if counts else (None, None)
    return fault_page.figures_of(run, at(), lost=lost, concealed=concealed)


def experiment(row: Row, revision: str) -> Object:
    """An Experiment of one row, which expects nearly nothing: the figures are what is wanted."""
    return {
        "apiVersion": "showstopper.dev/v1alpha1",
        "kind": "Experiment",
        "metadata": {"name": f"table-{row.name}"},
        "spec": {
            "revision": revision,
            "roomRef": {"name": stage.ROOM},
            "timing": {"baseline": BASELINE, "recovery": RECOVERY},
            "faults": [row.fault],
            "expect": [{"indicator": "AudibleRatio", "min": "1%"}],
        },
    }


def lasted(run: Object) -> tuple[float, float]:
    """From when to when the fault lasted. What is done in an instant is felt until the end of the recovery."""
    window = next((window for window in run["status"].get("windows", ()) if window["name"] == "Judged"), None)
    if window is None:
        raise UnmeasuredError(f"run {run['metadata']['name']} measured nothing: {run['status'].get('message')}")
    lifted = [target["liftedAt"] for target in run["status"].get("targets", ()) if target.get("liftedAt")]
    return from_timestamp(window["from"]), from_timestamp(max(lifted, default=window["to"]))


def write(results: Mapping[str, Sequence[Measured]]) -> None:
    """Write the page with the pictures that there are, and build/bench/faults.json."""
    report.FOLDER.mkdir(parents=True, exist_ok=True)
    kept = {name: [asdict(run) for run in runs] for name, runs in results.items()}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    page = PAGE.read_text()
    lines = dict(fault_page.lines_of(page))
    for row in doses.ROWS:
        if runs := results.get(row.name):
            lines[place(row)] = fault_page.line(*place(row), row.lasts or "an instant", runs, ends_flow=row.ends_flow)
    ordered = [lines[place(row)] for row in doses.ROWS if place(row) in lines]
    pictures = {f"{row.kind}: {row.dose}": fault_pictures.path(row) for row in doses.ROWS}
    drawn = {title: picture for title, picture in pictures.items() if picture.exists()}
    table, shown = fault_page.table(ordered, FOOTING), fault_page.shown(drawn)
    PAGE.write_text(fault_page.replaced(page, f"{table}\n\n{shown}"))


def place(row: Row) -> tuple[str, str]:
    """By what its line on the page is told apart."""
    return f"`{row.kind}`", row.dose


def at() -> str:
    """The day, and the commit."""
    version = subprocess.run(["git", "describe", "--always"], check=True, capture_output=True, text=True).stdout.strip()
    return f"{time.strftime('%Y-%m-%d', time.gmtime())}, {version}"


def chosen(names: str) -> Sequence[Row]:
    """The rows of these names, separated by commas. All rows if there are none.

    Raises:
        ClusterError: there is no such row. It says which there are.
    """
    wanted = [name for name in names.split(",") if name]
    known = [row.name for row in doses.ROWS]
    if odd := [name for name in wanted if name not in known]:
        raise errors.ClusterError(f"there is no row {', '.join(odd)}; there are: {', '.join(known)}")
    return [row for row in doses.ROWS if not wanted or row.name in wanted]


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.fault_table", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", default="", help="only these, by their names, separated by commas")
    parser.add_argument("--runs", type=int, default=1, help="how many of each")
    arguments = parser.parse_args()
    rows = chosen(arguments.rows)
    cluster = api.ensure_embedded()
    with lock.held("stage"):
        stage.install_operator(cluster, agents=True)
    show = Show(cluster, Api(cluster), stage.SHOW)
    results: dict[str, list[Measured]] = {}
    for values, group in itertools.groupby(rows, key=lambda row: row.values):
        with lock.held("stage"):
            stage.install_stage(cluster, values=values)
            stage.wait_for_room(cluster)
        for row in group:
            results[row.name] = []
            for number in range(1, arguments.runs + 1):
                with progress.step(f"{row.kind}, {row.dose}: run {number} of {arguments.runs}"):
                    results[row.name].append(measure(show, row))
                write(results)  # what was measured before somebody stops it, too
                report.console.print(f"  {results[row.name][-1]}")
    return 0


if __name__ == "__main__":
    sys.exit(endings.run(main))
