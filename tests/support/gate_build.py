"""Gates, images and runs for tests, from the fewest words."""

from dataclasses import replace
from typing import Any

from showstopper.api.gate import ReleaseGate
from showstopper.api.room import ComponentImage
from showstopper.api.run import ExperimentRun
from showstopper.clock import to_timestamp
from showstopper.engine.gates.deciding import Situation
from showstopper.engine.runs import requests
from tests.support import build

NOW = 1_800_000_000.0
HOUR = 3600.0


def gate(**spec: Any) -> ReleaseGate:
    """A gate for the relay's image: it must have passed the experiment `kill`."""
    return ReleaseGate.parse(
        {
            "metadata": {"name": "night", "namespace": "show", "uid": "gate-uid", "generation": 1},
            "spec": {
                "roomRef": {"name": "main-stage"},
                "components": ["relay"],
                "experiments": [{"name": "kill"}],
                **spec,
            },
        }
    )


def image(digest: str, component: str = "relay") -> ComponentImage:
    return ComponentImage(component=component, container=component, image=f"{component}:1", digest=digest)


def run(
    name: str, digest: str, verdict: str | None = "Passed", *, finished: float = NOW - HOUR, **origin: Any
) -> ExperimentRun:
    """A run of `kill` against that image of the relay."""
    wanted = requests.wanted(build.experiment())
    return build.run(
        name,
        created=to_timestamp(finished - 60),
        status={
            "verdict": verdict,
            "reason": verdict,
            "message": "what was found",
            "finishedAt": to_timestamp(finished),
        }
        if verdict
        else {},
        release=[image(digest).model_dump(), image("store", "store").model_dump()],
        experiment={"hash": wanted.hash, **origin},
    )


def situation(*runs: ExperimentRun, digest: str = "good", **changes: Any) -> Situation:
    """A minute after that image was deployed."""
    whole = Situation(
        gate=gate(),
        room=build.room(),
        images=(image(digest), image("store", "store")),
        experiments={"kill": build.experiment()},
        runs=runs,
        seen_seconds=120,
        now=NOW,
    )
    return replace(whole, **changes)
