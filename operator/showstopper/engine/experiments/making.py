"""Making: from a request to its run, for whoever asks: an experiment, or an act of a game day."""

from showstopper.api.experiment import Experiment
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.engine.planning import policies
from showstopper.engine.planning.plan import Plan
from showstopper.engine.planning.snapshots import Snapshots
from showstopper.engine.runs import requests
from showstopper.engine.runs.requests import Request
from showstopper.engine.runs.service import Runs
from showstopper.errors import Forbidden, Invalid

UNAUTHORIZED = 401


async def make(
    snapshots: Snapshots, runs: Runs, experiment: Experiment, request: Request, room: AudioRoom
) -> Finding | None:
    """Plan it now, so that the plan is of use only to a run that injects at once, and create its run.

    Returns:
        Why there is none, if what is planned can never be carried out.

    Raises:
        ClusterError: it could not be planned or created.
    """
    made, release = await snapshots.plan(room, experiment.spec.faults, requests.seed(experiment, request))
    if (refused := early_refusal(made)) is not None:
        return refused
    await runs.create(experiment, request, room, release, made)
    return None


def not_created(error: Forbidden | Invalid) -> Finding:
    """Why there is no run where the API server refused it: a right, a quota or a policy needs a person.

    Raises:
        Forbidden: the same, where it does not know who asks (401): a token that is just being renewed. Ask again.
    """
    if error.status == UNAUTHORIZED:
        raise error
    return Finding(Reason.RUN_NOT_CREATED, str(error), Verdict.ERROR)


def early_refusal(made: Plan) -> Finding | None:
    """What no waiting mends is refused before there is a run. Targets may still come: the run itself asks for them."""
    asked = (
        policies.refuse_unlabelled_namespace,
        policies.refuse_unknown_component,
        policies.refuse_what_the_room_lacks,
    )
    return next((finding for ask in asked if (finding := ask(made)) is not None), None)
