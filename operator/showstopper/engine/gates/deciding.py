"""Deciding: whether a gate is open for a release, and which runs are missing. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from showstopper.api import conditions
from showstopper.api.conditions import ConditionType, Outlook
from showstopper.api.experiment import Experiment, RunOn
from showstopper.api.gate import ReleaseGate, ReleaseScope, RememberedVerdict, Requirement, RequirementState
from showstopper.api.reasons import Reason
from showstopper.api.room import AudioRoom, ComponentImage
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.engine.experiments import memory
from showstopper.engine.gates import verdicts
from showstopper.engine.gates.verdicts import History
from showstopper.engine.rooms import releases
from showstopper.engine.rooms.releases import DeployedReleases, Release
from showstopper.engine.runs import requests

# How long a gate waits for a room and its pods: they are often applied together, in any order.
GRACE_SECONDS = 60.0
LOOK_SECONDS = 5.0
MOVING_LOOK_SECONDS = 0.5
MOST_ATTEMPTS = 3
"""Runs without a verdict after which a gate asks for no more: a person has to look at them."""
_ASKING_ENDS = {Reason.RUN_DELETED, Reason.NEVER_RUN}
"""Why an experiment is stalled that a request ends."""
_NOTHING_COMES = {
    RequirementState.MISSING: Reason.RUN_MISSING,
    RequirementState.EXPIRED: Reason.PASS_EXPIRED,
    RequirementState.UNDECIDED: Reason.RUNS_INCONCLUSIVE,
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when it is decided.

    Attributes:
        room: the gate's room. None if it does not exist.
        deployed: what the gate's components run now. None if that is not known.
        experiments: of the namespace, by name.
        runs: of the namespace.
        seen_seconds: how long this operator has known the gate.
        quiet_seconds: for how long what is deployed has not changed.
        now: Unix seconds.
    """

    gate: ReleaseGate
    room: AudioRoom | None
    deployed: DeployedReleases | None
    experiments: Mapping[str, Experiment]
    runs: Sequence[ExperimentRun]
    seen_seconds: float
    quiet_seconds: float
    now: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gate says.

    Attributes:
        requests: the runs to ask for: the annotation's value by the experiment's name.
        notes: what is to be remembered of the release's verdicts.
    """

    outlook: Outlook
    images: tuple[ComponentImage, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    requests: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[RememberedVerdict, ...] = ()

    @property
    def open(self) -> bool:
        """Whether the release may go on."""
        return self.outlook.ready == "True"

    @property
    def expires_at(self) -> str | None:
        """When the first of the passes stops being valid (RFC 3339). None while the gate is closed."""
        return (
            min((each.expires_at for each in self.requirements if each.expires_at), default=None) if self.open else None
        )


@dataclass(frozen=True, slots=True)
class _Finding:
    """How far an experiment is for a release.

    Attributes:
        request: the value of the annotation that asks for its run, if the gate must ask.
    """

    requirement: Requirement
    request: str | None = None
    note: RememberedVerdict | None = None


def decide(situation: Situation) -> Answer:
    """What the gate says of the release that is deployed: the same situation always gives the same answer."""
    if (trouble := _closed(situation) or _without_release(situation)) is not None:
        return Answer(trouble)
    assert situation.deployed is not None
    components = _components(situation)
    images = releases.started(image for image in situation.deployed.images if image.component in components)
    if (trouble := _unsettled(situation, situation.deployed, images)) is not None:
        return Answer(trouble, images)
    return _answer(situation, images)


def for_image(situation: Situation, digest: str) -> Answer | None:
    """The gate's answer for an image, deployed or not, by the newest run that tested it. None if no run did.

    The rules are those of `decide`: suspended is closed, several images side by side are no release, all components of
    the room count, and runs count for experiments and room as they are declared now.
    """
    spec, room = situation.gate.spec, situation.room
    if (trouble := _closed(situation)) is not None:
        return Answer(trouble)
    assert room is not None
    components = _components(situation)
    named = [situation.experiments[name.name] for name in spec.experiments if name.name in situation.experiments]
    runs = [run for experiment in named for run in verdicts.of_declaration(situation.runs, experiment, room)]
    tested = [
        run
        for run in runs
        if any(image.digest == digest for image in run.release if digest and image.component in components)
    ]
    newest = max(tested, key=requests.order, default=None)
    if newest is None:
        return None
    images = tuple(
        ComponentImage.model_validate(image.model_dump()) for image in newest.release if image.component in components
    )
    if not releases.of(images).settled or releases.of(images).components != frozenset(components):
        message = (
            f"run {newest.metadata.name} tested several releases side by side, or not all components: {_told(images)}"
        )
        return Answer(conditions.refused(Reason.SEVERAL_RELEASES, message[:1024]), images)
    return _answer(situation, images)


def _answer(situation: Situation, images: tuple[ComponentImage, ...]) -> Answer:
    """What the gate says of a settled release."""
    scope = situation.gate.spec.release
    release = releases.of(images, with_templates=scope is ReleaseScope.POD_TEMPLATE)
    findings = {name.name: _require(situation, name.name, release) for name in situation.gate.spec.experiments}
    requirements = tuple(finding.requirement for finding in findings.values())
    return Answer(
        _outlook(requirements),
        images,
        requirements,
        requests={name: finding.request for name, finding in findings.items() if finding.request is not None},
        notes=tuple(finding.note for finding in findings.values() if finding.note is not None),
    )


def _closed(situation: Situation) -> Outlook | None:
    """Why the gate is closed whatever the release is."""
    spec, namespace = situation.gate.spec, situation.gate.metadata.namespace
    if spec.suspend:
        return conditions.waiting_for_person(Reason.SUSPENDED, "suspended: set spec.suspend to false")
    if situation.room is None:
        name = spec.room_ref.name
        message = f'there is no AudioRoom "{name}" in namespace {namespace}: apply it, or correct spec.roomRef.name'
        return _patiently(situation, Reason.WAITING_FOR_ROOM, Reason.ROOM_NOT_FOUND, message)
    known = [component.name for component in situation.room.spec.components]
    if unknown := [name for name in spec.components if name not in known]:
        message = (
            f'AudioRoom {namespace}/{spec.room_ref.name} has no component "{unknown[0]}"; it has: {", ".join(known)}: '
            "correct spec.components"
        )
        return conditions.refused(Reason.UNKNOWN_COMPONENT, message)
    return None


def _components(situation: Situation) -> tuple[str, ...]:
    """The components whose images are the release."""
    declared = situation.room.spec.components if situation.room is not None else ()
    return situation.gate.spec.components or tuple(component.name for component in declared)


def _without_release(situation: Situation) -> Outlook | None:
    """Why there is no release to speak of. What may still come is waited for."""
    if situation.deployed is None:
        message = "it is not known what is deployed: pods and workloads cannot be read, or were not read yet"
        return conditions.in_progress(Reason.WAITING_FOR_IMAGES, message)
    if situation.deployed.moving is not None:
        return None
    there = {image.component for image in situation.deployed.images}
    imageless = [name for name in _components(situation) if name not in there]
    if not imageless:
        return None
    message = (
        f"no pod of component {', '.join(imageless)} runs, so it has no image: start it, or name in spec.components "
        "only those whose images are the release"
    )
    return _patiently(situation, Reason.WAITING_FOR_IMAGES, Reason.NO_IMAGE, message)


def _patiently(situation: Situation, waiting: Reason, over: Reason, message: str) -> Outlook:
    """Wait for a while for what may still come, then report it as missing."""
    patient = min(situation.seen_seconds, situation.quiet_seconds) < GRACE_SECONDS
    return conditions.in_progress(waiting, message) if patient else conditions.refused(over, message)


def _unsettled(situation: Situation, deployed: DeployedReleases, images: Sequence[ComponentImage]) -> Outlook | None:
    """Why it cannot be said which release this is, or will be."""
    if deployed.moving is not None:
        return conditions.in_progress(Reason.ROLLOUT_UNDER_WAY, deployed.moving)
    if deployed.held is not None:
        return conditions.refused(Reason.ROLLOUT_HELD, deployed.held[:1024])
    release = releases.of(images)
    if release.settled:
        return None
    message = f"the images are not settled: {_told(images)}"[:1024]
    if not release.known:
        return conditions.in_progress(Reason.ROLLOUT_UNDER_WAY, message)
    return _patiently(situation, Reason.ROLLOUT_UNDER_WAY, Reason.SEVERAL_RELEASES, message)


def _told(images: Sequence[ComponentImage]) -> str:
    """The images of containers that run several or have not started. All of them, if there are none such."""
    places = [(image.component, image.container) for image in images]
    odd = [image for image in images if not image.digest or places.count((image.component, image.container)) > 1]
    named = [
        f"container {image.container} of {image.component} runs {image.image} {image.digest or '(not started)'}"
        for image in odd or images
    ]
    return ", ".join(named)


def _require(situation: Situation, name: str, release: Release) -> _Finding:
    """How far an experiment is for this release."""
    gate, experiment, room = situation.gate, situation.experiments.get(name), situation.room
    assert room is not None
    if experiment is None:
        message = f"there is no Experiment {name} in namespace {gate.metadata.namespace}: apply it, or leave it out"
        return _Finding(Requirement(name=name, state=RequirementState.MISSING, message=message))
    place = verdicts.place_of(experiment, room, release)
    own = next((each for each in gate.status.verdicts if (each.experiment, each.release) == (name, place)), None)
    recalled = memory.recall(experiment, room, release, _components(situation))
    known = verdicts.history(
        verdicts.of_declaration(situation.runs, experiment, room),
        release,
        _components(situation),
        verdicts.newer(own, recalled, name, place),
        with_templates=gate.spec.release is ReleaseScope.POD_TEMPLATE,
    )
    requirement, request = _judge(situation, experiment, release, known)
    return _Finding(requirement, request, verdicts.note(name, place, known))


def _judge(
    situation: Situation, experiment: Experiment, release: Release, known: History
) -> tuple[Requirement, str | None]:
    """The state of an experiment, and the value of the annotation that requests its run, if the gate must ask.

    A run without a verdict takes no pass away: it says nothing of the release.
    """
    name, decided = experiment.metadata.name, known.decided if known.deleted is None else None
    passed = decided if decided is not None and decided.status.verdict == Verdict.PASSED else None
    if passed is not None and not _expired(situation, passed):
        return _of_run(situation, name, RequirementState.PASSED, passed), None
    if known.under_way is not None:
        run = known.under_way.metadata.name
        message = f"run {run} is under way: {_stands(known.under_way)}"[:1024]
        return Requirement(name=name, state=RequirementState.WAITING, run=run, message=message), None
    if decided is not None and passed is None:
        return _of_run(situation, name, RequirementState.FAILED, decided), None
    if known.deleted is not None and known.deleted.verdict != Verdict.PASSED:
        gone = known.deleted
        message = f"its verdict was {gone.verdict}, and counts though the run was deleted: request another"
        state = RequirementState.FAILED
        return Requirement(name=name, state=state, run=gone.run, verdict=gone.verdict, message=message), None
    return _missing(situation, experiment, release, known, passed)


def _missing(
    situation: Situation, experiment: Experiment, release: Release, known: History, passed: ExperimentRun | None
) -> tuple[Requirement, str | None]:
    """It has no fresh verdict on this release: whether one will come, and from whom. `passed`: a pass that expired."""
    name, spec, asks = experiment.metadata.name, experiment.spec, situation.gate.spec.request_runs
    namespace, tries = situation.gate.metadata.namespace, len(known.undecided)
    over, what, last = _lacks(known, passed)

    def said(state: RequirementState, then: str) -> Requirement:
        run = last if tries else None
        return Requirement(name=name, state=state, run=run, message=f"{what}: {then}"[:1024])

    if spec.suspend or spec.dry_run:
        return said(over, f"Experiment {name} starts no runs: set its suspend and dryRun to false"), None
    annotate = f"kubectl -n {namespace} annotate --overwrite experiment {name} {requests.RUN_REQUESTED}=TEXT"
    by_hand = f"{annotate} asks for a run"
    if tries >= MOST_ATTEMPTS:
        return said(over, by_hand), None
    value = _request(situation, release, last)
    asked = experiment.metadata.annotations.get(requests.RUN_REQUESTED) == value
    stalled = _stalled(experiment)
    if stalled is not None and stalled.reason not in _ASKING_ENDS and (asked or not asks):
        return said(over, f"Experiment {name} starts no run: {stalled.message}"), None
    if asks and not (asked and _is_answered(situation, experiment)):
        draining = situation.deployed.draining if situation.deployed is not None else None
        waits = draining is not None and not asked
        then = f"a run is asked for when this is over: {draining}" if waits else "a run was asked for"
        return said(RequirementState.WAITING, then), None if asked or waits else value
    first = not last and stalled is None and not _has_run(situation, experiment, release)
    if (by_itself := _by_itself(experiment, first=first)) is not None:
        return said(RequirementState.WAITING, by_itself), None
    if asks:
        by_hand = f"the run that this gate asked for did not count: look at it; {by_hand}"
    return said(over, by_hand), None


def _lacks(known: History, passed: ExperimentRun | None) -> tuple[RequirementState, str, str]:
    """What is missing, in words, and the name of the last run that gave no verdict, or whose pass counts no more."""
    if known.undecided:
        last, run = known.undecided[-1], known.last_undecided
        why = f" {run.status.verdict} {run.status.reason}: {run.status.message}" if run is not None else ""
        what = f"{len(known.undecided)} of {MOST_ATTEMPTS} runs gave no verdict, the last of them {last}{why}"
        return RequirementState.UNDECIDED, what[:700], last
    if passed is not None:
        return RequirementState.EXPIRED, f"run {passed.metadata.name} passed too long ago", passed.metadata.name
    if known.deleted is not None and known.deleted.run:
        return RequirementState.MISSING, f"run {known.deleted.run} passed, and was deleted", known.deleted.run
    return RequirementState.MISSING, "it has not run with this release", ""


def _request(situation: Situation, release: Release, after: str) -> str:
    """The value of the annotation that asks for a run of this release, in the room as it is declared now.

    `after`: the run that gave no verdict, or whose pass counts no more. So another one is asked for.
    """
    assert situation.room is not None
    room = memory.room_hash(situation.room)[:8]
    return f"gate {situation.gate.metadata.name[:63]} {release.identity} {room} {after}".strip()


def _stalled(experiment: Experiment) -> conditions.Condition | None:
    """What the experiment says of itself, as it is declared now, if it starts no run. Not of a verdict."""
    known = experiment.status.conditions
    if experiment.status.observed_generation != experiment.metadata.generation:
        return None
    if not conditions.is_true(known, ConditionType.STALLED) or conditions.is_true(known, ConditionType.FINISHED):
        return None
    return conditions.find(known, ConditionType.READY)


def _has_run(situation: Situation, experiment: Experiment, release: Release) -> bool:
    """Whether the experiment has run on this release, in whatever form: then the release is no change for it."""
    scope = situation.gate.spec.release
    own = (run for run in situation.runs if run.spec.experiment.uid == experiment.metadata.uid)
    templates = scope is ReleaseScope.POD_TEMPLATE
    return any(verdicts.counts(run, release, _components(situation), with_templates=templates) for run in own)


def _by_itself(experiment: Experiment, *, first: bool) -> str | None:
    """What starts a run of the experiment without being asked. `first`: there is none on this release yet."""
    if first and RunOn.RELEASE_CHANGE in experiment.spec.run_on:
        return "it runs when the release has settled"
    return f"its schedule, {experiment.spec.schedule}, will" if experiment.spec.schedule is not None else None


def _stands(run: ExperimentRun) -> str:
    """What the run says of itself, such as which pod it waits for."""
    ready = conditions.find(run.status.conditions, ConditionType.READY)
    return ready.message if ready is not None else "it has not begun yet"


def _is_answered(situation: Situation, experiment: Experiment) -> bool:
    """Whether nothing comes any more of what was asked for: its run is over, or somebody has deleted it.

    That is decided as the experiment itself decides whether a run is to begin.
    """
    own = [run for run in situation.runs if run.spec.experiment.uid == experiment.metadata.uid]
    if any(not run.finished for run in own):
        return False
    return requests.wanted(experiment).is_answered_by(requests.answered(experiment, own))


def _expired(situation: Situation, run: ExperimentRun) -> bool:
    return _expires_at(situation, run) <= situation.now


def _expires_at(situation: Situation, run: ExperimentRun) -> float:
    finished = from_timestamp(run.status.finished_at) if run.status.finished_at else 0.0
    return finished + situation.gate.spec.max_age.total_seconds()


def _of_run(situation: Situation, name: str, state: RequirementState, run: ExperimentRun) -> Requirement:
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
        return conditions.refused(
            _NOTHING_COMES[requirement.state], f"experiment {requirement.name}: {requirement.message}"
        )
    if waiting := [requirement for requirement in requirements if requirement.state is RequirementState.WAITING]:
        sentences = "; ".join(f"experiment {requirement.name}: {requirement.message}" for requirement in waiting)
        return conditions.in_progress(Reason.WAITING_FOR_RUNS, sentences)
    names = ", ".join(requirement.name for requirement in requirements)
    return conditions.idle(Reason.PASSED, f"this release has passed {names}")
