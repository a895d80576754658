"""The night of the interview of 2024 on a stage with a door, and its report: `make night`. Six minutes of show."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import yaml

from dev import demo, stage
from dev.cluster import api, endings, lock, paths, progress
from dev.cluster.api import Cluster

FILE = paths.PROJECT / "examples" / "game-days" / "2024-interview.yaml"
REPORT = paths.PROJECT / "build" / "night" / "interview-2024.html"

VALUES = ("door.enabled=true", *demo.LIMITED)
"""Of the stage, as the game day wants them: most people met the door closed, and a flood can fill so small a relay."""

HEARD_SECONDS = 15.0
"""For so long the room is heard before the night begins: its first act watches ten seconds of it."""

ANNOUNCED_IN = timedelta(seconds=30)
"""From now to the announced start, which has to lie in the hold music of the first act."""


def main() -> int:
    """Perform the night. The exit code of its verdict."""
    cluster = api.ensure_up()
    with lock.held("stage"):
        stage.install(cluster, values=VALUES, agents=True)
        stage.wait_for_stage(cluster, "statefulset/door")  # relays start anew where there was no door before
        stage.wait_for_room(cluster, in_a_row=HEARD_SECONDS)
    name = yaml.safe_load(FILE.read_text())["metadata"]["name"]
    progress.note(f"Performing {FILE.relative_to(paths.PROJECT)}: seven acts, about six minutes.")
    announce(cluster, ANNOUNCED_IN)
    code = demo.run(cluster, FILE)
    demo.write_report(cluster, name, REPORT)
    progress.note("\nThe cluster goes on. Perform it once more: make night\nRemove it: make cluster-down")
    return code


def announce(cluster: Cluster, later: timedelta, *, namespace: str = stage.SHOW, room: str = stage.ROOM) -> None:
    """The room says that the show starts so much later."""
    starts_at = (datetime.now(UTC) + later).strftime("%Y-%m-%dT%H:%M:%SZ")
    patch = json.dumps({"spec": {"program": {"startsAt": starts_at}}})
    cluster.run_kubectl("--namespace", namespace, "patch", "audioroom", room, "--type=merge", f"--patch={patch}")


if __name__ == "__main__":
    sys.exit(endings.run(main))
