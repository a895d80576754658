"""Deciding: whether a gate is open for a release, and which runs are missing. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.experiment import Experiment, RunOn
from showstopper.api.gate import ReleaseGate, Requirement, RequirementState
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom, ComponentImage
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.engine.rooms import releases
from showstopper.engine.rooms.releases import Release
from showstopper.engine.runs import requests

# How long a gate waits for a room and its pods: they are often applied together, in any order.
GRACE_SECONDS = 60.0
LOOK_SECONDS = 5.0
_NOTHING_COMES = {RequirementState.MISSING, RequirementState.EXPIRED}


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when it is decided.

    Attributes:
        room: the gate's room. None if it does not exist.
        images: what all components of the room run now.
        experiments: of the namespace, by name.
        runs: of the namespace.
        seen_seconds: how long this operator has known the gate.
        now: Unix seconds.
    """

    gate: ReleaseGate
    room: AudioRoom | None
    images: Sequence[ComponentImage]
    experiments: Mapping[str, Experiment]
    runs: Sequence[ExperimentRun]
    seen_seconds: float
    now: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gate says.

    Attributes:
        requests: the runs to ask for: the annotation's value by the experiment's name.
    """

    outlook: Outlook
    images: tuple[ComponentImage, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    requests: Mapping[str, str] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether the release may go on."""
        return self.outlook.ready == "True"


def decide(situation: Situation) -> Answer:
    """What the gate says of the release that is deployed: the same situation always gives the same answer."""
    spec = situation.gate.spec
    if spec.suspend:
        return Answer(conditions.waiting_for_person(Reason.SUSPENDED, "suspended: set spec.suspend to false"))
    if (trouble := _without_release(situation)) is not None:
        return Answer(trouble)
    components = _components(situation)
    images = tuple(image for image in situation.images if image.component in components)
    release = releases.of(images)
    if not release.settled:
        return Answer(conditions.in_progress(Reason.ROLLOUT_UNDER_WAY, _unsettled(images)), images)
    answers = [_require(situation, name.name, release, components) for name in spec.experiments]
    asked = {requirement.name: value for requirement, value in answers if value is not None}
    requirements = tuple(requirement for requirement, _ in answers)
    return Answer(_outlook(requirements), images, requirements, asked)


def for_image(situation: Situation, digest: str) -> Answer | None:
    """The gate's answer for an image, deployed or not, from the runs that tested it. None if no run did."""
    spec = situation.gate.spec
    components = _components(situation)
    tried: dict[Release, tuple[ComponentImage, ...]] = {}
    for run in sorted(situation.runs, key=requests.order, reverse=True):
        images = tuple(
            ComponentImage.model_validate(image.model_dump()) for image in run.release if image.component in components
        )
        if any(image.digest == digest for image in images):
            tried.setdefault(releases.of(images), images)
    answers = []
    for release, images in tried.items():
        requirements = tuple(
            _require(situation, requirement.name, release, components)[0] for requirement in spec.experiments
        )
        answers.append(Answer(_outlook(requirements), images, requirements))
    return next((answer for answer in answers if answer.open), answers[0] if answers else None)


def _components(situation: Situation) -> tuple[str, ...]:
    """The components whose images are the release."""
    declared = situation.room.spec.components if situation.room is not None else ()
    return situation.gate.spec.components or tuple(component.name for component in declared)


def _without_release(situation: Situation) -> Outlook | None:
    """Why there is no release to speak of. What may still come is waited for."""
    spec, namespace = situation.gate.spec, situation.gate.metadata.namespace
    patient = situation.seen_seconds < GRACE_SECONDS
    if situation.room is None:
        name = spec.room_ref.name
        message = f'there is no AudioRoom "{name}" in namespace {namespace}: apply it, or correct spec.roomRef.name'
        return _patiently(Reason.WAITING_FOR_ROOM, Reason.ROOM_NOT_FOUND, message, patient=patient)
    known = [component.name for component in situation.room.spec.components]
    if unknown := [name for name in spec.components if name not in known]:
        message = (
            f'AudioRoom {namespace}/{spec.room_ref.name} has no component "{unknown[0]}"; it has: {", ".join(known)}: '
            "correct spec.components"
        )
        return conditions.refused(Reason.UNKNOWN_COMPONENT, message)
    imageless = [name for name in spec.components or known if name not in releases.of(situation.images).components]
    if not imageless:
        return None
    message = (
        f"no pod of component {', '.join(imageless)} runs, so it has no image: start it, or name in spec.components "
        "only those whose images are the release"
    )
    return _patiently(Reason.WAITING_FOR_IMAGES, Reason.NO_IMAGE, message, patient=patient)


def _patiently(waiting: Reason, over: Reason, message: str, *, patient: bool) -> Outlook:
    """Wait for a while for what may still come, then report it as missing."""
    return conditions.in_progress(waiting, message) if patient else conditions.refused(over, message)


def _unsettled(images: Sequence[ComponentImage]) -> str:
    running = [f"{image.component} runs {image.image} {image.digest or '(not started)'}" for image in images]
    return f"the images are not settled: {', '.join(running)}"[:1024]


def _require(
    situation: Situation, name: str, release: Release, components: Sequence[str]
) -> tuple[Requirement, str | None]:
    """How far an experiment is for this release, and the value of the annotation that requests its run, if it must."""
    experiment = situation.experiments.get(name)
    if experiment is None:
        namespace = situation.gate.metadata.namespace
        message = f"there is no Experiment {name} in namespace {namespace}: apply it, or leave it out"
        return Requirement(name=name, state=RequirementState.MISSING, message=message), None
    own = [run for run in _runs(situation, experiment) if releases.of(run.release, components) == release]
    newest = max((run for run in own if run.finished), key=requests.order, default=None)
    if newest is not None and newest.status.verdict == Verdict.PASSED and not _expired(situation, newest):
        return _told(situation, name, RequirementState.PASSED, newest), None
    under_way = next((run for run in own if not run.finished), None)
    if under_way is not None:
        message = f"run {under_way.metadata.name} is under way"
        return Requirement(
            name=name, state=RequirementState.WAITING, run=under_way.metadata.name, message=message
        ), None
    if newest is not None and newest.status.verdict != Verdict.PASSED:
        return _told(situation, name, RequirementState.FAILED, newest), None
    return _missing(situation, experiment, release, newest)


def _runs(situation: Situation, experiment: Experiment) -> list[ExperimentRun]:
    """The runs of what the experiment says now, also those of one of its name that was deleted since."""
    wanted = requests.wanted(experiment).hash
    return [
        run
        for run in situation.runs
        if run.spec.experiment.name == experiment.metadata.name and run.spec.experiment.hash == wanted
    ]


def _missing(
    situation: Situation, experiment: Experiment, release: Release, passed: ExperimentRun | None
) -> tuple[Requirement, str | None]:
    """It has no fresh verdict on this release: whether one will come, and from whom. `passed`: a pass that expired."""
    name, spec = experiment.metadata.name, experiment.spec
    what = f"run {passed.metadata.name} passed too long ago" if passed else "it has not run with these images"

    def said(state: RequirementState, then: str) -> Requirement:
        return Requirement(name=name, state=state, message=f"{what}: {then}")

    if spec.suspend or spec.dry_run:
        state = RequirementState.EXPIRED if passed else RequirementState.MISSING
        return said(state, f"Experiment {name} starts no runs: set its suspend and dryRun to false"), None
    value = f"gate {situation.gate.metadata.name} {release.identity} {passed.metadata.name if passed else ''}".strip()
    asked = experiment.metadata.annotations.get(requests.RUN_REQUESTED) == value
    if situation.gate.spec.request_runs and not (asked and _answered(situation, experiment, value)):
        return said(RequirementState.WAITING, "a run was asked for"), None if asked else value
    if RunOn.RELEASE_CHANGE in spec.run_on and passed is None:
        return said(RequirementState.WAITING, "it runs when the images have settled"), None
    if spec.schedule is not None:
        return said(RequirementState.WAITING, f"its schedule, {spec.schedule}, will"), None
    if situation.gate.spec.request_runs:
        then = "the run that this gate asked for did not count: look at it, then ask for another"
    else:
        then = f"kubectl annotate --overwrite experiment {name} {requests.RUN_REQUESTED}=TEXT asks for a run"
    return said(RequirementState.EXPIRED if passed else RequirementState.MISSING, then), None


def _answered(situation: Situation, experiment: Experiment, value: str) -> bool:
    """Whether the run that was asked for is over."""
    asked = [run for run in _runs(situation, experiment) if run.spec.experiment.run_request == value]
    return bool(asked) and all(run.finished for run in asked)


def _expired(situation: Situation, run: ExperimentRun) -> bool:
    return _expires_at(situation, run) <= situation.now


def _expires_at(situation: Situation, run: ExperimentRun) -> float:
    finished = from_timestamp(run.status.finished_at) if run.status.finished_at else 0.0
    return finished + situation.gate.spec.max_age.total_seconds()


def _told(situation: Situation, name: str, state: RequirementState, run: ExperimentRun) -> Requirement:
    status = run.status
    return Requirement(
        name=name,
        state=state,
        run=run.metadata.name,
        verdict=status.verdict,
        finished_at=status.finished_at,
        expires_at=to_timestamp(_expires_at(situation, run)) if state is RequirementState.PASSED else None,
        message=None
        if state is RequirementState.PASSED
        else f"{status.verdict} {status.reason}: {status.message}"[:1024],
    )


def _outlook(requirements: Sequence[Requirement]) -> Outlook:
    """Failures first, then what will never come, then what is waited for: open only when nothing is left."""
    failed = [requirement for requirement in requirements if requirement.state is RequirementState.FAILED]
    if failed:
        requirement = failed[0]
        return conditions.refused(
            Reason.EXPERIMENT_NOT_PASSED, f"experiment {requirement.name}, run {requirement.run}: {requirement.message}"
        )
    if stuck := [requirement for requirement in requirements if requirement.state in _NOTHING_COMES]:
        requirement = stuck[0]
        reason = Reason.PASS_EXPIRED if requirement.state is RequirementState.EXPIRED else Reason.RUN_MISSING
        return conditions.refused(reason, f"experiment {requirement.name}: {requirement.message}")
    if waiting := [requirement for requirement in requirements if requirement.state is RequirementState.WAITING]:
        sentences = "; ".join(f"experiment {requirement.name}: {requirement.message}" for requirement in waiting)
        return conditions.in_progress(Reason.WAITING_FOR_RUNS, sentences)
    names = ", ".join(requirement.name for requirement in requirements)
    return conditions.idle(Reason.PASSED, f"these images have passed {names}")
