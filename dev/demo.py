"""The demo: `make demo`. A cluster, the operator with its agents, a staged room, two experiments with their reports.

The relay that carries the sound is killed. Then its media port is flooded, while it has a tenth of a core: a relay
without a limit of processor time takes no notice of a flood that one machine can make.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dev import stage
from dev.cluster import api, endings, lock, paths, progress
from dev.cluster.api import Cluster

EXAMPLES = paths.PROJECT / "examples"
EXPERIMENTS = {
    EXAMPLES / "relay-pod-kill.yaml": "the relay that carries the sound is killed",
    EXAMPLES / "relay-packet-flood.yaml": "the media port of the relay that carries the sound is flooded",
}
LIMITED = ("relay.resources.limits.cpu=100m",)
REPORTS = paths.PROJECT / "build" / "demo"


def main() -> int:
    """Show it all. The first exit code of a verdict that is no pass, or 0."""
    cluster = api.ensure_up()
    with lock.held("stage"):
        stage.install(cluster, values=LIMITED, agents=True)
    codes = [show(cluster, experiment, what) for experiment, what in EXPERIMENTS.items()]
    progress.note(after(cluster))
    return next((code for code in codes if code), 0)


def show(cluster: Cluster, experiment: Path, what: str) -> int:
    """Run an experiment before everybody's eyes, and write its report. The exit code of its verdict."""
    progress.note(f"Running {experiment.relative_to(paths.PROJECT)}: {what}.")
    code = run(cluster, experiment)
    write_report(cluster, experiment.stem, REPORTS / f"{experiment.stem}.html")
    return code


def run(cluster: Cluster, file: Path) -> int:
    """What a person does: `showstopper run`, with its picture on this terminal. The exit code of the verdict."""
    return _showstopper(cluster, "run", str(file))


def write_report(cluster: Cluster, name: str, file: Path) -> None:
    """The report of a run or a game day, as one page of HTML. Without a verdict there is none, and that is said."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    _showstopper(cluster, "report", name, "--output", "html", "--file", str(file))


def _showstopper(cluster: Cluster, *words: str) -> int:
    program = Path(sys.executable).with_name("showstopper")
    command = [str(program), "--namespace", stage.SHOW, *words]
    return subprocess.run(command, check=False, env={**os.environ, **cluster.environment}).returncode


def after(cluster: Cluster) -> str:
    """What can be done next."""
    return (
        f"\nReports: {', '.join(str(file.relative_to(paths.PROJECT)) for file in sorted(REPORTS.glob('*.html')))}\n"
        "The cluster goes on. Look around:\n"
        f"  {stage.environment(cluster)}\n"
        "  kubectl get audiorooms,experiments,experimentruns -n show\n"
        "  showstopper -n show verdict relay-pod-kill -o wide\n"
        "  showstopper -n show run relay-pod-kill\n"
        "A whole night: make night\n"
        "Remove it: make cluster-down"
    )


if __name__ == "__main__":
    sys.exit(endings.run(main))
