"""Checks: what experiments need, looked up one by one with the caller's own rights."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from statistics import median
from typing import Any

from showstopper.api import conditions
from showstopper.api.conditions import ConditionType
from showstopper.api.room import AudioRoom
from showstopper.api.stop_switch import AGENT_NAMESPACE, STOP_SWITCH, stop_reason
from showstopper.archive import reading
from showstopper.cli.kube import stop_switches
from showstopper.cli.kube.feeds import Feeds
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import (
    ACCESS_REVIEW,
    AUDIO_ROOM,
    CONFIG_MAP,
    EXPERIMENT,
    EXPERIMENT_RUN,
    GAME_DAY,
    NAMESPACE,
    NODE,
    POD,
    RELEASE_GATE,
)
from showstopper.engine.planning.policies import CHAOS_ALLOWED, CHAOS_LABEL
from showstopper.errors import ArchiveError, ClusterError, Forbidden, NotFound

OLDEST = (1, 32)
"""Oldest supported Kubernetes. Before it tokens do not name the node (KEP-4193), by which agents are identified."""
MOST_OFFSET_SECONDS = 0.5
"""Beyond this, times on a record are hard to compare. Spans, and the live picture, are corrected for the offset."""
_LOG_BYTES = 20_000
_COMPONENT = "app.kubernetes.io/component"


class State(StrEnum):
    """The result of a check."""

    OK = "OK"
    WARNING = "Warning"  # some experiments cannot run, or something could not be read
    FAILED = "Failed"  # no experiment can run


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a check.

    Attributes:
        what: was checked.
        remedy: how to fix it.
    """

    what: str
    state: State
    message: str
    remedy: str = ""

    def as_data(self) -> dict[str, Any]:
        """The check as a document, without empty fields."""
        return {name: str(value) for name, value in asdict(self).items() if value}


async def run_all(client: Client, namespace: str) -> AsyncIterator[Check]:
    """Every check, each after those that it depends on. Without our resources the rest is left out.

    Raises:
        ClusterError: the API server does not answer.
    """
    yield await _api_server(client)
    resources = await _resources(client)
    yield resources
    if resources.state is State.FAILED:
        return
    checks: tuple[Callable[[Client, str], Awaitable[list[Check]]], ...] = (
        _rights,
        _namespace,
        _stop_switch,
        _operator,
        _agents,
        _archive,
        _rooms,
    )
    for check in checks:
        try:
            results = await check(client, namespace)
        except Forbidden as error:
            results = [Check(check.__name__[1:].replace("_", " "), State.WARNING, f"not checked: {error}")]
        for result in results:
            yield result


async def _api_server(client: Client) -> Check:
    answer = json.loads(await client.raw("/version"))
    version = f"Kubernetes {answer.get('gitVersion', '')}"
    major, minor = (int("".join(filter(str.isdigit, str(answer.get(part, ""))))) for part in ("major", "minor"))
    if (major, minor) < OLDEST:
        return Check("API server", State.FAILED, version, f"use Kubernetes {OLDEST[0]}.{OLDEST[1]} or later")
    return Check("API server", State.OK, version)


async def _resources(client: Client) -> Check:
    path = EXPERIMENT.path().rpartition("/")[0]
    try:
        served = {resource["name"] for resource in json.loads(await client.raw(path))["resources"]}
    except NotFound:
        served = set()
    kinds = (AUDIO_ROOM, EXPERIMENT, EXPERIMENT_RUN, GAME_DAY, RELEASE_GATE)
    missing = [kind.name for kind in kinds if kind.plural not in served]
    if missing:
        remedy = (
            "install the Helm chart (from a checkout: helm install showstopper charts/showstopper "
            "-n showstopper-system --create-namespace), or apply its CustomResourceDefinitions"
        )
        return Check("resources", State.FAILED, f"the cluster does not have {', '.join(missing)}", remedy)
    return Check("resources", State.OK, "all are installed")


_RIGHTS = (
    ("create", "showstopper.dev", "experiments", "run experiments", "showstopper-edit"),
    ("patch", "showstopper.dev", "experimentruns", "abort runs", "showstopper-edit"),
    ("approve", "showstopper.dev", "gamedays", "approve acts of game days", "showstopper-approve"),
    ("get", "", "pods/proxy", "see the live picture", "a role that allows get on pods/proxy"),
)


async def _rights(client: Client, namespace: str) -> list[Check]:
    missing = []
    for verb, group, resource, purpose, role in _RIGHTS:
        plural, _, subresource = resource.partition("/")
        attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": plural}
        attributes |= {"subresource": subresource} if subresource else {}
        spec: Object = {"resourceAttributes": attributes}
        body = {"apiVersion": ACCESS_REVIEW.group_version, "kind": ACCESS_REVIEW.name, "metadata": {}, "spec": spec}
        answer = await client.create(ACCESS_REVIEW, body)
        if not answer["status"].get("allowed"):
            missing.append((purpose, role))
    if not missing:
        return [Check("your rights", State.OK, f"you may run, abort, approve and watch in namespace {namespace}")]
    message = f"in namespace {namespace} you may not {', '.join(purpose for purpose, _ in missing)}"
    roles = ", ".join(dict.fromkeys(role for _, role in missing))
    return [Check("your rights", State.WARNING, message, f"ask your administrator for {roles}")]


async def _namespace(client: Client, namespace: str) -> list[Check]:
    try:
        labels = (await client.get(NAMESPACE, "", namespace))["metadata"].get("labels", {})
    except NotFound:
        message = f"there is no namespace {namespace}"
        return [
            Check("namespace", State.FAILED, message, "name another with -n, or create it: kubectl create namespace")
        ]
    if labels.get(CHAOS_LABEL) == CHAOS_ALLOWED:
        return [Check("namespace", State.OK, f"{namespace} allows experiments")]
    remedy = f"kubectl label namespace {namespace} {CHAOS_LABEL}={CHAOS_ALLOWED}"
    return [Check("namespace", State.FAILED, f"{namespace} does not allow experiments", remedy)]


async def _stop_switch(client: Client, _: str) -> list[Check]:
    try:
        namespaces = await stop_switches.namespaces(client)
    except NotFound as error:
        return [Check("stop switch", State.FAILED, str(error), "install the chart, or upgrade it")]
    reasons = [reason for namespace in namespaces if (reason := await _reason_to_stop(client, namespace))]
    if not reasons:
        return [Check("stop switch", State.OK, f"not set in namespace {', '.join(namespaces)}")]
    return [Check("stop switch", State.FAILED, f"everything is stopped: {reasons[0]}", "showstopper resume")]


async def _reason_to_stop(client: Client, namespace: str) -> str | None:
    try:
        return stop_reason(await client.get(CONFIG_MAP, namespace, STOP_SWITCH))
    except NotFound:
        return None


async def _operator(client: Client, _: str) -> list[Check]:
    where = reading.system_namespace()
    pods = await client.list(POD, where, labels={_COMPONENT: "operator"})
    if any(map(_is_ready, pods)):
        return [Check("operator", State.OK, f"ready in namespace {where}")]
    if not pods:
        remedy = "install the chart, or set SHOWSTOPPER_NAMESPACE to its namespace"
        return [Check("operator", State.FAILED, f"no operator pod in namespace {where}", remedy)]
    names = ", ".join(pod["metadata"]["name"] for pod in pods)
    remedy = f"kubectl -n {where} describe pod {names}"
    return [Check("operator", State.FAILED, f"not ready: {names} in namespace {where}", remedy)]


async def _agents(client: Client, _: str) -> list[Check]:
    try:
        namespaces = await stop_switches.namespaces(client)  # the agents look at the switch of their own namespace
    except NotFound:
        namespaces = [AGENT_NAMESPACE]
    pods = [pod for namespace in namespaces for pod in await client.list(POD, namespace, labels={_COMPONENT: "agent"})]
    if not pods:
        where = ", ".join(namespaces)
        message = f"none is running in namespace {where}: only faults by the API server, such as podKill, work without"
        return [Check("agents", State.WARNING, message, "helm upgrade ... --set agent.enabled=true")]
    nodes = {node["metadata"]["name"]: node for node in await client.list(NODE)}
    by_node = {pod["spec"].get("nodeName", ""): pod for pod in pods}
    return [await _agent(client, name, nodes.get(name, {}), by_node.get(name)) for name in sorted({*nodes, *by_node})]


async def _agent(client: Client, name: str, node: Mapping[str, Any], pod: Object | None) -> Check:
    what = f"agent on {name or 'no node'}"
    kernel = node.get("status", {}).get("nodeInfo", {}).get("kernelVersion", "")
    system = f"Linux {kernel}" if kernel else "kernel unknown"
    if pod is None:
        return Check(what, State.WARNING, f"not running ({system})", "check the chart's agent.tolerations")
    if not _is_ready(pod):
        remedy = f"kubectl -n {pod['metadata']['namespace']} describe pod {pod['metadata']['name']}"
        return Check(what, State.WARNING, f"not ready ({system})", remedy)
    return Check(what, State.OK, f"ready: {system}, {await _backends(client, pod['metadata'])}")


async def _backends(client: Client, pod: Mapping[str, Any]) -> str:
    """The kernel features that the agent uses, from the beginning of its log. `pod` is its metadata."""
    path = f"{POD.path(pod['namespace'], pod['name'], 'log')}?container=agent&limitBytes={_LOG_BYTES}"
    try:
        log = (await client.raw(path)).decode(errors="replace")
    except ClusterError:
        return "backends unknown (no access to its log)"
    for line in log.splitlines():
        if '"backends"' in line:
            event = json.loads(line)
            missing = ", ".join(event.get("missing") or ())
            return f"uses {event.get('method')}" + (f", without {missing}" if missing else "")
    return "backends unknown (they are in the first lines of its log)"


async def _archive(client: Client, _: str) -> list[Check]:
    try:
        await reading.runs(client, limit=1)
    except ArchiveError as error:
        message = "does not answer: runs continue, but what listeners hear is kept for an hour only"
        return [Check("archive", State.WARNING, message, str(error))]
    return [Check("archive", State.OK, "answers")]


async def _rooms(client: Client, namespace: str) -> list[Check]:
    bodies = await client.list(AUDIO_ROOM, namespace)
    if not bodies:
        remedy = "apply an AudioRoom (like examples/own-livekit.yaml), or install the chart audio-room"
        return [Check("rooms", State.FAILED, f"none in namespace {namespace}", remedy)]
    return [check for body in bodies for check in await _room(client, AudioRoom.parse(body))]


async def _room(client: Client, room: AudioRoom) -> list[Check]:
    what, name = f"room {room.metadata.name}", room.metadata.name
    ready = conditions.find(room.status.conditions, ConditionType.READY)
    if ready is None or room.status.observed_generation < room.metadata.generation:
        return [Check(what, State.FAILED, "the operator has not observed it yet", "see the check of the operator")]
    if ready.status != "True":
        remedy = f"kubectl -n {room.metadata.namespace} get pods -l showstopper.dev/room={name}"
        return [Check(what, State.FAILED, f"{ready.reason}: {ready.message}", remedy)]
    return [Check(what, State.OK, ready.message), *await _clocks(client, room)]


async def _clocks(client: Client, room: AudioRoom) -> list[Check]:
    """Whether the clocks of the listeners' nodes agree with this machine's."""
    feeds = Feeds(client, room.metadata.namespace, room.metadata.name, Clock())
    await feeds.once()
    what = f"clocks of {room.metadata.name}"
    if not feeds.ahead:
        return [Check(what, State.WARNING, feeds.note or "no listener answers")]
    offset = median(feeds.ahead.values())
    spread = max(feeds.ahead.values()) - min(feeds.ahead.values())
    message = f"{offset * 1000:+.0f} ms from this machine's, {spread * 1000:.0f} ms apart"
    if max(abs(offset), spread) <= MOST_OFFSET_SECONDS:
        return [Check(what, State.OK, message)]
    return [Check(what, State.WARNING, message, "synchronize all nodes, and this machine, by NTP")]


def _is_ready(pod: Mapping[str, Any]) -> bool:
    states = {each["type"]: each["status"] for each in pod.get("status", {}).get("conditions", ())}
    return states.get("Ready") == "True"
