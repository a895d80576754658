"""A gated release on the room that is heard: the relay that breaks recovery is stopped, the good one goes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dev import stage
from dev.cluster.api import Cluster
from dev.cluster.errors import ClusterError
from dev.cluster.images import Image
from e2e import relays
from tests.support import staged_room
from tests.support.pod_state import all_hear
from tests.support.staged_room import HEARD_AT_ALL, LONG, Object, Show, condition, eventually, experiment, told

pytestmark = pytest.mark.cluster

NAME = "recovery"
ROLLOUT_SECONDS = 300.0
RELAYS = 2
OPEN, CLOSED, NOT_KNOWN_YET = 0, 1, 2
# A healthy stage is back after 3 to 15 s; one that withholds its media is not for a minute.
BACK_IN_TIME = ({"indicator": "RecoveryTime", "max": "20s"},)


@pytest.fixture(scope="module")
def broken(running: Cluster) -> Image:
    """The relay that withholds its media for 60 s from whoever reconnects to it, on the cluster's nodes."""
    assert running.is_embedded, "it is put into the nodes from this machine"
    return relays.withholding()


@pytest.fixture
def gated(show: Show) -> Iterator[Gated]:
    gate = Gated(show)
    yield gate
    gate.clean()


class Gated:
    """The staged room, the experiment that its releases have to pass, and the gate."""

    def __init__(self, show: Show) -> None:
        self.show = show

    def declare(self, experiments: Object) -> None:
        spec = {
            "roomRef": {"name": self.show.room},
            "components": ["relay"],
            "experiments": [{"name": NAME}],
            "maxAge": "1h",
        }
        gate = {
            "apiVersion": "showstopper.dev/v1alpha1",
            "kind": "ReleaseGate",
            "metadata": {"name": NAME},
            "spec": spec,
        }
        self.show.apply(experiments, gate)

    def deploy(self, image: Image | None) -> None:
        """Another relay, as a release brings it. None for the good one."""
        repository, _, tag = image.reference.rpartition(":") if image else ("", "", "")
        values = [f"relay.image.repository={repository}", f"relay.image.tag={tag}"] if image else []
        stage.install_stage(
            self.show.cluster, namespace=self.show.namespace, values=[*staged_room.SMALL_STAGE, *values]
        )

    def rolled_out(self) -> None:
        wanted = ["rollout", "status", "deployment", "--selector=app.kubernetes.io/component=relay"]
        self.show.cluster.run_kubectl("--namespace", self.show.namespace, *wanted, f"--timeout={ROLLOUT_SECONDS:.0f}s")

    def asked(self) -> tuple[int, str]:
        """The command, as a pipeline asks it: its exit code, and what it prints."""
        done = self.show.command("gate", NAME)
        return done.returncode, done.stdout + done.stderr

    def answers(self, code: int, seconds: float, *, has: str = "") -> str:
        """What it prints once it answers so."""

        def told_so() -> tuple[int, str] | None:
            answer = self.asked()
            return answer if answer[0] == code and has in answer[1] else None

        return eventually(f"the gate answers {code} {has}", seconds, told_so, every=0.5)[1]

    def names(self) -> set[str]:
        """Of all runs of the experiment."""
        return {run["metadata"]["name"] for run in self.show.runs(NAME)}

    def set_environment(self, *words: str) -> None:
        """A release without a new image: another environment of the relay."""
        relay = ("deployment", "--selector=app.kubernetes.io/component=relay")
        self.show.cluster.run_kubectl("--namespace", self.show.namespace, "set", "env", *relay, *words)

    def scale(self, replicas: int) -> None:
        relay = ("deployment", "--selector=app.kubernetes.io/component=relay", f"--replicas={replicas}")
        self.show.cluster.run_kubectl("--namespace", self.show.namespace, "scale", *relay)

    def is_waited_for(self) -> bool:
        """Whether `kubectl wait` takes the gate for open, as a pipeline asks it right after its rollout."""
        namespace = ("--namespace", self.show.namespace)
        ready = ("wait", f"releasegate/{NAME}", "--for=condition=Ready", "--timeout=1s")
        try:
            self.show.cluster.run_kubectl(*namespace, *ready)
        except ClusterError:
            return False
        return True

    def next_run(self, after: int) -> Object:
        """The run that follows so many, with its verdict."""

        def over() -> Object | None:
            runs = sorted(self.show.runs(NAME), key=lambda run: run["metadata"]["creationTimestamp"])
            newer = runs[after:]
            return newer[0] if newer and staged_room.finished(newer[0]) else None

        return eventually(f"run {after + 1} of {NAME} is over", LONG, over, every=0.5)

    def clean(self) -> None:
        self.set_environment("RELEASE-")
        self.scale(RELAYS)
        self.deploy(None)
        self.show.cluster.run_kubectl("-n", self.show.namespace, "delete", "releasegate", NAME, "--ignore-not-found")
        self.rolled_out()
        # Relays of the image before go on serving for some seconds: the room looks well until they end.
        stage.start_afresh(self.show.cluster, namespace=self.show.namespace)


def digests(run: Object) -> set[str]:
    images: list[dict[str, Any]] = run["status"].get("release") or run["spec"].get("release") or []
    return {image["digest"] for image in images if image["component"] == "relay"}


def test_a_relay_that_breaks_recovery_is_stopped_and_the_good_one_goes_out(gated: Gated, broken: Image) -> None:
    show = gated.show
    kill = experiment(
        NAME,
        serving=True,
        baseline="8s",
        recovery="30s",
        deadline="5m",  # a rollout may keep it waiting
        expect=BACK_IN_TIME,
        runOn=["ReleaseChange"],
    )
    gated.declare(kill)
    good = gated.next_run(0)
    assert good["status"]["verdict"] == "Passed", told(good)
    print(gated.answers(OPEN, 30))
    assert condition(show.api.get(show.path("releasegates", NAME)), "Ready")["status"] == "True"

    gated.deploy(broken)
    print(gated.answers(NOT_KNOWN_YET, 60))  # another image than the one that passed: the gate is not open any more
    gated.rolled_out()
    bad = gated.next_run(1)
    assert (bad["status"]["verdict"], bad["status"]["reason"]) == ("Failed", "ExpectationMissed"), told(bad)
    assert digests(bad).isdisjoint(digests(good)), "each verdict is of its own release"
    print(gated.answers(CLOSED, 30, has=bad["metadata"]["name"]))

    gated.deploy(None)
    gated.rolled_out()
    print(gated.answers(OPEN, 60, has=good["metadata"]["name"]))  # rolled back: what passed before counts again

    before = gated.names()
    show.cluster.run_kubectl("--namespace", show.namespace, "delete", "experiment", NAME)
    assert before <= gated.names(), "a deleted Experiment keeps its runs"
    show.apply(kill)
    eventually("the Experiment that came back asks for a run", 60, lambda: gated.names() > before)
    assert gated.names() >= before | {good["metadata"]["name"], bad["metadata"]["name"]}


def test_no_pipeline_promotes_what_no_run_has_seen(gated: Gated) -> None:
    """Ten fast rollouts of a room with one relay, each asked about as soon as it is over, and while it goes on."""
    kill = experiment(
        NAME,
        serving=True,
        target={"minReady": 0},
        baseline="5s",
        recovery="15s",
        deadline="3m",
        expect=HEARD_AT_ALL,
    )
    gated.scale(1)
    gated.rolled_out()
    eventually("those who were on the other relay hear the host again", LONG, lambda: all_hear(gated.show))
    gated.declare(kill)
    seen = gated.next_run(0)
    assert seen["status"]["verdict"] == "Passed", told(seen)
    print(gated.answers(OPEN, 30))
    promoted = []
    for n in range(10):
        gated.set_environment(f"RELEASE=untested-{n}")
        if gated.is_waited_for() or gated.asked()[0] == OPEN:
            promoted.append(f"{n}: while it was rolled out")
        gated.rolled_out()
        if gated.is_waited_for() or gated.asked()[0] == OPEN:
            promoted.append(f"{n}: when it was over")
    assert not promoted
    gated.answers(CLOSED, 30, has="RunMissing")  # nothing asks for a run: that is said, and is no progress for ever
