"""Run watch: what becomes of runs, and what others do to them.

Not by kopf: nearly all news of a run is what this operator has just written, and comes back in the very moment of an
injection. Here it costs the decoding of a line; with kopf it took a millisecond and a half more from the delete call.
"""

from contextlib import aclosing

from showstopper.api.run import ExperimentRun
from showstopper.cluster import watch as watching
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.cluster.parsing import parse_or_log
from showstopper.cluster.watch import WatchEvent
from showstopper.engine.runs.service import Runs


async def watch(client: Client, runs: Runs, namespace: str = "") -> None:
    """Tell `runs` of every run as the API has it, for ever. They know of those already that were there at the start.

    There is no Mirror, for `runs` hold what is known. What they knew before a listing began, and is not listed, was
    deleted while nobody watched.
    """
    missing: dict[str, ExperimentRun] = {}
    async with aclosing(watching.watch(client, EXPERIMENT_RUN, namespace)) as events:
        async for event, body in events:
            match event:
                case WatchEvent.LISTING:
                    missing = {run.metadata.uid: run for run in runs.all()}
                case WatchEvent.SYNCED:
                    for deleted in missing.values():
                        runs.on_delete(deleted)
                    missing = {}
                case WatchEvent.DELETED:
                    if (run := parse_or_log(ExperimentRun, body)) is not None:
                        runs.on_delete(run)
                case WatchEvent.LISTED | WatchEvent.CHANGED:
                    missing.pop(body["metadata"]["uid"], None)
                    if not runs.knows(body["metadata"]) and (run := parse_or_log(ExperimentRun, body)) is not None:
                        runs.on_change(run)
