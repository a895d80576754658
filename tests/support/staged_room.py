"""The staged room that end-to-end tests and benchmarks break: asking for runs in it, and reading what came of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import yaml
from kubernetes import config
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from dev import stage
from dev.cluster import paths
from dev.cluster.api import Cluster
from showstopper.availability.hosts import STOOD_STILL

T = TypeVar("T")
Object = dict[str, Any]

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""Which of pytest-xdist's workers this process is. The first, if there are none."""

NAMESPACE = os.environ.get("SHOWSTOPPER_E2E_NAMESPACE", stage.SHOW) + (f"-{WORKER + 1}" if WORKER else "")
"""Where the room is that this worker's tests break. Name another, if somebody uses the cluster's stage meanwhile."""

SPOILED = paths.PROJECT / "build" / "e2e"
"""Where the runs are kept, as YAML, that were asked for again."""

SMALL_STAGE = (
    "room.listeners.count=2",
    "room.listeners.perPod=1",
    "room.listeners.arrivals.stay=6s",
    "relay.terminationGracePeriodSeconds=4",
)
"""Few listeners, yet on both nodes, and newcomers who do not stay long: these tests are about runs, and share their
processors with the whole cluster. Relays wait for their listeners to leave as ever, but not for half a minute, of which
a rollout takes one for each."""

PUBLISHED = "livekit_track_published_total"

GROUP = "/apis/showstopper.dev/v1alpha1"
REQUESTED, ONCE_MORE = "showstopper.dev/run-requested", "once more"
"""The annotation that asks for a run, and its value where a run is asked for again."""

LONG = 240.0
"""A deadline that only a broken cluster meets: a run with its recovery, on a machine that is busy."""

WELL_SECONDS = 40.0
"""How long a room is given to be well again after a test. Clients that find another relay take 5 to 15 s."""

AFRESH = 2
"""How often a room that does not get well is started afresh before the test fails."""

SPLIT_SECONDS, SPLIT_EVERY = 20.0, 2.0
"""How long listeners may be on a relay before the host has found it, and how often that is looked at."""


def eventually(what: str, seconds: float, question: Callable[[], T | None], *, every: float = 0.1) -> T:
    """The first answer that is true. Fails with `what` and the last answer when the time is over."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}; the last answer was {answer!r}")
        time.sleep(every)
    return answer


class RefusedError(Exception):
    """The API server answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """The API server over one connection: kubectl takes 0.1 s to start, and some tests look every 50 ms."""

    def __init__(self, cluster: Cluster) -> None:
        self._client = config.new_client_from_config(config_file=str(cluster.kubeconfig))

    def get(self, path: str, **query: str | int) -> Object:
        return self._ask("GET", path, query=query)

    def lines(self, path: str, **query: str | int) -> list[Object]:
        """The objects of an answer that has one a line, such as a watch's with its time limit."""
        return [json.loads(line) for line in self._raw("GET", path, query=query).splitlines()]

    def text(self, path: str) -> str:
        return self._raw("GET", path).decode()

    def create(self, path: str, body: Object) -> Object:
        return self._ask("POST", path, body=body)

    def merge(self, path: str, body: Object) -> Object:
        return self._ask("PATCH", path, body=body, content_type="application/merge-patch+json")

    def delete(self, path: str, body: Object | None = None) -> Object:
        return self._ask("DELETE", path, body=body or {})

    def _ask(self, method: str, path: str, **more: Any) -> Object:
        answer: Object = json.loads(self._raw(method, path, **more))
        return answer

    def _raw(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str | int] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        answer = self._client.rest_client.request(
            method,
            f"{self._client.configuration.host}{path}?{urlencode(query or {})}",
            headers={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            _request_timeout=60,
        )
        content: bytes = answer.read()
        if answer.status >= 400:
            raise RefusedError(answer.status, content.decode())
        return content


@dataclass
class Show:
    """The room under test, and the experiments that a test made in its namespace."""

    cluster: Cluster
    api: Api
    namespace: str = NAMESPACE
    room: str = stage.ROOM
    runs_made: int = 0
    runs_repeated: int = 0
    _made: list[str] = field(default_factory=list)
    _again: set[str] = field(default_factory=set)

    def path(self, plural: str, name: str = "") -> str:
        """Of our resources in the namespace."""
        return f"{GROUP}/namespaces/{self.namespace}/{plural}/{name}".rstrip("/")

    def pods(self, component: str = "relay") -> list[Object]:
        pods: list[Object] = self.api.get(
            f"/api/v1/namespaces/{self.namespace}/pods", labelSelector=f"app.kubernetes.io/component={component}"
        )["items"]
        return pods

    def addresses(self, role: str) -> list[str]:
        """The addresses of the fleet's pods of a role."""
        return [pod["status"]["podIP"] for pod in self._fleet(role)]

    def _fleet(self, role: str) -> list[Object]:
        pods: list[Object] = self.api.get(
            f"/api/v1/namespaces/{self.namespace}/pods", labelSelector=f"showstopper.dev/role={role}"
        )["items"]
        return pods

    def relays(self) -> dict[str, str]:
        """Names of the relay pods by UID."""
        return {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in self.pods()}

    def split(self) -> bool:
        """Whether participants sit in a room of a relay in which nobody speaks, by the relays' own metrics.

        LiveKit holds a room on one relay. One that stood still may come back into a room of its own, with the host in
        one and listeners in the other (a split brain of LiveKit's, which no client notices and no time heals).
        """
        return any(
            room.get("livekit_room_total") and room.get("livekit_participant_total") and not room.get(PUBLISHED)
            for room in map(self._metrics, self.relays().values())
        )

    def samples(self, relay: str) -> Iterator[Sample]:
        """A relay's own metrics."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{relay}:{stage.METRICS_PORT}/proxy/metrics"
        for family in text_string_to_metric_families(self.api.text(path)):
            yield from family.samples

    def _metrics(self, relay: str) -> dict[str, float]:
        """The sums of a relay's metrics by the names of their samples."""
        sums: dict[str, float] = defaultdict(float)
        for sample in self.samples(relay):
            sums[sample.name] += sample.value
        return sums

    def wait_until_well(self) -> None:
        """Until every listener hears the host, both relays are ready and nothing runs: the next fault may come.

        A host that ends is heard until it has: a room that is heard is well when no pod of its fleet ends. What is told
        of listeners is a second or two old: the relay that they heard may have ended since, and the room names it yet.

        A room that is split stays so: such a stage is started afresh.
        """
        for _ in range(AFRESH):
            if self._recovers():
                return
            stage.start_afresh(self.cluster, namespace=self.namespace, room=self.room)
        eventually(f"room {self.namespace}/{self.room} is well", LONG, self._well, every=0.25)

    def _recovers(self) -> bool:
        """Whether the room is well before its time is over, and before it has been split for too long."""
        began = looked = time.monotonic()
        split_since: float | None = None
        while not self._well():
            now = time.monotonic()
            if now - looked > SPLIT_EVERY:
                looked = now
                split_since = (split_since or now) if self._is_split_now() else None
            if now - began > WELL_SECONDS or (split_since is not None and now - split_since > SPLIT_SECONDS):
                return False
            time.sleep(0.25)
        return True

    def _is_split_now(self) -> bool:
        """As `split`. Relays that do not answer yet have no rooms."""
        try:
            return self.split()
        except RefusedError:
            return False

    def _well(self) -> bool:
        room = self.api.get(self.path("audiorooms", self.room))
        listeners = room.get("status", {}).get("listeners", {})
        pods = self.pods()
        return (
            condition(room, "Ready")["status"] == "True"
            and condition(room, "Ready")["reason"] == "Live"
            and condition(room, "Ready")["observedGeneration"] == room["metadata"]["generation"]
            and listeners["live"] == listeners["intended"]
            and bool(serving := room["status"].get("serving"))
            and {*serving} <= {pod["metadata"]["name"] for pod in pods}
            and len(pods) == 2
            and all(_is_ready(pod) for pod in (*pods, *self._fleet("host"), *self._fleet("listener")))
            and all(finished(run) for run in self.api.get(self.path("experimentruns"))["items"])
        )

    def apply(self, *manifests: Object) -> str:
        """As a person does it, or Argo CD: `kubectl apply`."""
        for manifest in manifests:
            if manifest["kind"] == "Experiment":
                self.adopt(manifest["metadata"]["name"])
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        return self.cluster.run_kubectl("--namespace", self.namespace, "apply", "-f", "-", stdin=json.dumps(items))

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What a person types, in the room's namespace."""
        program = Path(sys.executable).with_name("showstopper")
        place = ["--kubeconfig", str(self.cluster.kubeconfig), "-n", self.namespace]
        return subprocess.run([program, *place, *words], capture_output=True, text=True, check=False, timeout=120)

    def adopt(self, name: str) -> None:
        """Clean up an experiment that somebody else makes."""
        if name not in self._made:
            self._made.append(name)

    def experiment(self, name: str) -> Object:
        return self.api.get(self.path("experiments", name))

    def runs(self, name: str) -> list[Object]:
        """All runs of experiments of that name, in the order of their making."""
        runs = self.api.get(self.path("experimentruns"), labelSelector=f"showstopper.dev/experiment={name}")["items"]
        return sorted(runs, key=lambda run: (run["spec"]["experiment"]["generation"], run["metadata"]["name"]))

    def run(self, name: str) -> Object:
        """The newest run of an experiment, as soon as there is one for its generation."""

        def newest_run() -> Object | None:
            generation = self.experiment(name)["metadata"]["generation"]
            newest = [run for run in self.runs(name) if run["spec"]["experiment"]["generation"] == generation]
            return newest[-1] if newest else None

        return eventually(f"experiment {name} has a run", 60, newest_run, every=0.05)

    def at(self, name: str, what: str, reached: Callable[[Object], Any], *, seconds: float = LONG) -> Object:
        """The newest run of an experiment, as soon as `reached` says so of its status."""
        path = self.path("experimentruns", self.run(name)["metadata"]["name"])

        def ask() -> Object | None:
            run = self.api.get(path)
            return run if reached(run["status"]) or finished(run) else None

        run = eventually(f"the run of {name} is at: {what}", seconds, ask, every=0.02)
        if reached(run["status"]):
            return run
        if self._is_spoiled(name, run):
            self._ask_again(name, run)
            return self.at(name, what, reached, seconds=seconds)
        raise AssertionError(f"the run was over before {what}: {told(run)}")

    def verdict(self, name: str, *, again: bool = True) -> tuple[Object, Object]:
        """The experiment and its run, when the experiment says that it is over for its generation.

        `again`: a run that the machine spoiled is asked for once more.
        """

        def over() -> Object | None:
            experiment = self.experiment(name)
            current = experiment["status"]["observedGeneration"] == experiment["metadata"]["generation"]
            if name in self._again:
                current = current and experiment["status"].get("lastHandledRunRequest") == ONCE_MORE
            return experiment if current and condition(experiment, "Finished").get("status") == "True" else None

        experiment = eventually(f"experiment {name} is over", LONG, over)
        run = self.api.get(self.path("experimentruns", experiment["status"]["run"]["name"]))
        if again and self._is_spoiled(name, run):
            self._ask_again(name, run)
            return self.verdict(name)
        return experiment, run

    def was_asked_again(self, name: str) -> bool:
        """Whether the machine spoiled the first run of this name."""
        return name in self._again

    def _is_spoiled(self, name: str, run: Object) -> bool:
        """Whether the machine spoiled a run in the room that is well for all tests, the first one of this name."""
        return run["spec"]["room"]["name"] == self.room and spoiled(run) and name not in self._again

    def _ask_again(self, name: str, run: Object) -> None:
        """Another run of the same experiment, as if the first had not been asked for.

        That is counted, told in the summary, and the run is kept in a file: too much of it fails the session.
        """
        file = SPOILED / f"{self.namespace}-{run['metadata']['name']}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(run, sort_keys=False, allow_unicode=True))
        warnings.warn(f"{name} is asked for once more, see {file}: {told(run)}", stacklevel=3)
        self._again.add(name)
        self.runs_made += 1
        self.runs_repeated += 1
        self.wait_until_well()
        self.api.delete(self.path("experimentruns", run["metadata"]["name"]))
        self.api.merge(self.path("experiments", name), {"metadata": {"annotations": {REQUESTED: ONCE_MORE}}})

    def moment(self) -> str:
        """The resource version of now, for `deleted_since`."""
        version: str = self.api.get(f"/api/v1/namespaces/{self.namespace}/pods")["metadata"]["resourceVersion"]
        return version

    def deleted_since(self, moment: str) -> list[str]:
        """The UIDs of all relay pods that were deleted since, from the API's own history, so that none is missed."""
        events = self.api.lines(
            f"/api/v1/namespaces/{self.namespace}/pods",
            watch=1,
            resourceVersion=moment,
            timeoutSeconds=1,
            labelSelector="app.kubernetes.io/component=relay",
        )
        problems = [event["object"] for event in events if event["type"] == "ERROR"]
        assert not problems, f"the history of pods is not complete: {problems}"
        return [event["object"]["metadata"]["uid"] for event in events if event["type"] == "DELETED"]

    def clean(self) -> None:
        """Delete what the test made, and wait until nothing of it runs."""
        for name in self._made:
            self.cluster.run_kubectl("--namespace", self.namespace, "delete", "experiment", name, "--ignore-not-found")
        for name in self._made:
            self._forget(name)
        self._made.clear()
        self._again.clear()

    def _forget(self, name: str) -> None:
        eventually(f"the runs of {name} are over", LONG, lambda: all(map(finished, self.runs(name))))
        for run in self.runs(name):
            self.api.delete(self.path("experimentruns", run["metadata"]["name"]))
            self.runs_made += 1


AUDIBLE = ({"indicator": "AudibleRatio", "min": "80%"},)
HEARD_AT_ALL = ({"indicator": "AudibleRatio", "min": "1%"},)
"""Met where anybody hears anything of the host, and not known in a room that is too little listened to."""

HOWEVER_SILENT = ({"indicator": "LongestDeadAir", "max": "10m"},)
"""Met however long the silence lasts: a run is shorter."""


def experiment(
    name: str,
    *,
    room: str = stage.ROOM,
    serving: bool | None = False,
    target: Object | None = None,
    baseline: str = "5s",
    recovery: str = "5s",
    deadline: str | None = None,
    expect: Sequence[Object] = AUDIBLE,
    **spec: Any,
) -> Object:
    """A kill of one relay: of one that serves nobody, for that is over in seconds, unless a test is about sound."""
    aim = {"component": "relay", "max": 1, "minReady": 1, **({} if serving is None else {"serving": serving})}
    timing = {"baseline": baseline, "recovery": recovery, **({"deadline": deadline} if deadline else {})}
    return {
        "apiVersion": "showstopper.dev/v1alpha1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": {
            "roomRef": {"name": room},
            "timing": timing,
            "faults": [{"name": "kill", "target": {**aim, **(target or {})}, "podKill": {"gracePeriod": "0s"}}],
            "expect": list(expect),
            **spec,
        },
    }


def condition(resource: Object, kind: str) -> Object:
    """The condition of that type, or one that says that there is none."""
    conditions = resource.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {"type": kind, "status": "", "reason": ""})


def stands(resource: Object) -> dict[str, str]:
    """All conditions by type."""
    return {each["type"]: each["status"] for each in resource["status"].get("conditions", [])}


def finished(run: Object) -> bool:
    return bool(run.get("status", {}).get("verdict"))


def proven(status: Object) -> bool:
    """Whether a fault of a run is, by the run's status."""
    return any(fault["proven"] for fault in status.get("faults", ()))


def passed(show: Show, name: str) -> Object:
    """The run of an experiment of one fault, which passed: its fault is proven, and nothing of it is left."""
    resource, run = show.verdict(name)
    assert run["status"]["verdict"] == "Passed", told(run)
    assert stands(resource) == PASSED
    (record,) = run["status"]["faults"]
    assert record["proven"]
    assert record["reverted"]
    return run


def steps(run: Object) -> list[str]:
    return [step["name"] for step in run["status"].get("steps", [])]


def spoiled(run: Object) -> bool:
    """Whether a run shows nothing because the machine stood still.

    Two processors that are taken away for half a second are heard as dead air before the fault, and the operator
    rightly injects nothing. Or they are taken from the listeners, and too much of what was to be heard is Unknown. Or
    from the host, and nothing is known of what listeners missed. Each is our own instrument's failure, never the
    room's, so that a run that was perturbed by its room or by its fault is never asked for again.
    """
    reason, message = run["status"]["reason"], run["status"].get("message", "")
    if reason == "TooMuchUnknown" or (reason == "HostLost" and STOOD_STILL in message):
        return True
    return steps(run) == ["Baseline", "Judged"] and reason in {"BaselineBroken", "HostLost"}


def told(run: Object) -> str:
    """What a run found, for the message of a failed test."""
    status = run["status"]
    return f"{status.get('verdict')} {status.get('reason')}: {status.get('message')}; steps {steps(run)}"


def _is_ready(pod: Object) -> bool:
    return condition(pod, "Ready")["status"] == "True" and "deletionTimestamp" not in pod["metadata"]


PASSED = {"Ready": "True", "Reconciling": "False", "Stalled": "False", "Finished": "True", "Suspended": "False"}
NOT_PASSED = {"Ready": "False", "Reconciling": "False", "Stalled": "True", "Finished": "True", "Suspended": "False"}
