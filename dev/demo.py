"""The demo: a cluster, the operator, a staged room, and one experiment: `make demo`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dev import stage
from dev.cluster import api, endings, lock, paths, progress
from dev.cluster.api import Cluster

EXPERIMENT = paths.PROJECT / "examples" / "relay-pod-kill.yaml"


def main() -> int:
    """Show it all. The verdict's exit code."""
    cluster = api.ensure_up()
    with lock.held("stage"):
        stage.install(cluster)
    progress.note(f"Running {EXPERIMENT.relative_to(paths.PROJECT)}: the relay that carries the sound is killed.")
    code = run_experiment(cluster)
    progress.note(after(cluster))
    return code


def run_experiment(cluster: Cluster, experiment: Path = EXPERIMENT) -> int:
    """What a person does: `showstopper run`, with its picture on this terminal."""
    program = Path(sys.executable).with_name("showstopper")
    command = [str(program), "--namespace", stage.SHOW, "run", str(experiment)]
    return subprocess.run(command, check=False, env={**os.environ, **cluster.environment}).returncode


def after(cluster: Cluster) -> str:
    """What can be done next."""
    return (
        "\nThe cluster goes on. Look around:\n"
        f"  export KUBECONFIG={cluster.kubeconfig} PATH=$PATH:{cluster.kubectl.parent}:{Path(sys.executable).parent}\n"
        "  kubectl get audiorooms,experiments,experimentruns -n show\n"
        "  showstopper -n show verdict relay-pod-kill -o wide\n"
        "  showstopper -n show run relay-pod-kill\n"
        "Remove it: make cluster-down"
    )


if __name__ == "__main__":
    sys.exit(endings.run(main))
