"""Gates, images and runs for tests, from the fewest words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from showstopper.api.gate import ReleaseGate
from showstopper.api.room import ComponentImage
from showstopper.api.run import ExperimentRun
from showstopper.clock import to_timestamp
from showstopper.engine.gates.deciding import Situation
from showstopper.engine.rooms.releases import DeployedReleases
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
    name: str,
    digest: str,
    verdict: str | None = "Passed",
    *,
    finished: float = NOW - HOUR,
    others: Sequence[ComponentImage] | None = None,
    template: str = "",
    **origin: Any,
) -> ExperimentRun:
    """A run of `kill` against that image of the relay, and `others`: the store's if None."""
    relay = image(digest).model_copy(update={"template": template})
    beside = (image("store", "store"),) if others is None else others
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
        release=[each.model_dump() for each in (relay, *beside)],
        experiment={"hash": wanted.hash, **origin},
    )


def situation(*runs: ExperimentRun, digest: str = "good", **changes: Any) -> Situation:
    """A minute after that image was deployed."""
    if "images" in changes:
        changes["deployed"] = DeployedReleases(tuple(changes.pop("images")))
    whole = Situation(
        gate=gate(),
        room=build.room(),
        deployed=DeployedReleases((image(digest),)),
        experiments={"kill": build.experiment()},
        runs=runs,
        seen_seconds=120,
        quiet_seconds=120,
        now=NOW,
    )
    return replace(whole, **changes)
