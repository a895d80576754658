"""Examining: one thing after another that experiments need, each asked of the cluster with the caller's own rights."""

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
"""Kubernetes before that has no node name in its tokens (KEP-4193), by which agents are told apart."""
MOST_OFFSET_SECONDS = 0.5
"""Clocks that differ more make times on a record hard to compare. Spans are corrected by it, and so is the picture."""
_LOG_BYTES = 20_000
_COMPONENT = "app.kubernetes.io/component"


class State(StrEnum):
    """How it is."""

    WELL = "Well"
    LIMITED = "Limited"  # some experiments cannot run, or something could not be looked at
    WRONG = "Wrong"  # none can


@dataclass(frozen=True, slots=True)
class Check:
    """One thing, how it is, and what to do about it."""

    what: str
    state: State
    message: str
    remedy: str = ""

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return {name: str(value) for name, value in asdict(self).items() if value}


async def all_of(client: Client, namespace: str) -> AsyncIterator[Check]:
    """Every check, in the order in which they rest on each other; without our kinds there is nothing more to ask.

    Raises:
        ClusterError: the API server does not answer.
    """
    yield await _api_server(client)
    kinds = await _kinds(client)
    yield kinds
    if kinds.state is State.WRONG:
        return
    asked: tuple[Callable[[Client, str], Awaitable[list[Check]]], ...] = (
        _rights,
        _namespace,
        _stop_switch,
        _operator,
        _agents,
        _archive,
        _rooms,
    )
    for ask in asked:
        try:
            found = await ask(client, namespace)
        except Forbidden as error:
            found = [Check(ask.__name__[1:].replace("_", " "), State.LIMITED, f"may not be looked at: {error}")]
        for check in found:
            yield check


async def _api_server(client: Client) -> Check:
    told = json.loads(await client.raw("/version"))
    version = f"Kubernetes {told.get('gitVersion', '')}"
    major, minor = (int("".join(filter(str.isdigit, str(told.get(part, ""))))) for part in ("major", "minor"))
    if (major, minor) < OLDEST:
        return Check("API server", State.WRONG, version, f"use Kubernetes {OLDEST[0]}.{OLDEST[1]} or later")
    return Check("API server", State.WELL, version)


async def _kinds(client: Client) -> Check:
    path = EXPERIMENT.path().rpartition("/")[0]
    try:
        there = {one["name"] for one in json.loads(await client.raw(path))["resources"]}
    except NotFound:
        there = set()
    missing = [kind.name for kind in (AUDIO_ROOM, EXPERIMENT, EXPERIMENT_RUN, GAME_DAY, RELEASE_GATE)]
    missing = [name for name in missing if f"{name.lower()}s" not in there]
    if missing:
        remedy = "helm install showstopper charts/showstopper -n showstopper-system --create-namespace, or apply crds/"
        return Check("resources", State.WRONG, f"the cluster does not know {', '.join(missing)}", remedy)
    return Check("resources", State.WELL, "all kinds are known")


_WISHED = (
    ("create", "showstopper.dev", "experiments", "run experiments", "showstopper-edit"),
    ("patch", "showstopper.dev", "experimentruns", "abort runs", "showstopper-edit"),
    ("approve", "showstopper.dev", "gamedays", "approve acts of game days", "showstopper-approve"),
    ("get", "", "pods/proxy", "see the live picture", "a role with get of pods/proxy"),
)


async def _rights(client: Client, namespace: str) -> list[Check]:
    lacks = []
    for verb, group, resource, means, role in _WISHED:
        plural, _, subresource = resource.partition("/")
        attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": plural}
        attributes |= {"subresource": subresource} if subresource else {}
        spec: Object = {"resourceAttributes": attributes}
        body = {"apiVersion": ACCESS_REVIEW.group_version, "kind": ACCESS_REVIEW.name, "metadata": {}, "spec": spec}
        answer = await client.create(ACCESS_REVIEW, body)
        if not answer["status"].get("allowed"):
            lacks.append((means, role))
    if not lacks:
        return [Check("your rights", State.WELL, f"you may run, abort, approve and watch in namespace {namespace}")]
    message = f"in namespace {namespace} you may not {', '.join(means for means, _ in lacks)}"
    roles = ", ".join(dict.fromkeys(role for _, role in lacks))
    return [Check("your rights", State.LIMITED, message, f"ask for {roles}")]


async def _namespace(client: Client, namespace: str) -> list[Check]:
    try:
        labels = (await client.get(NAMESPACE, "", namespace))["metadata"].get("labels", {})
    except NotFound:
        message = f"there is no namespace {namespace}"
        return [Check("namespace", State.WRONG, message, "give another by -n, or kubectl create namespace")]
    if labels.get(CHAOS_LABEL) == CHAOS_ALLOWED:
        return [Check("namespace", State.WELL, f"{namespace} allows experiments")]
    remedy = f"kubectl label namespace {namespace} {CHAOS_LABEL}={CHAOS_ALLOWED}"
    return [Check("namespace", State.WRONG, f"{namespace} does not allow experiments", remedy)]


async def _stop_switch(client: Client, _: str) -> list[Check]:
    try:
        reason = stop_reason(await client.get(CONFIG_MAP, AGENT_NAMESPACE, STOP_SWITCH))
    except NotFound:
        reason = None
    if reason is None:
        return [Check("stop switch", State.WELL, "is not thrown")]
    return [Check("stop switch", State.WRONG, f"everything is stopped: {reason}", "showstopper release")]


async def _operator(client: Client, _: str) -> list[Check]:
    where = reading.system_namespace()
    pods = await client.list(POD, where, labels={_COMPONENT: "operator"})
    if any(map(_is_ready, pods)):
        return [Check("operator", State.WELL, f"is ready in namespace {where}")]
    if not pods:
        remedy = "install the chart, or name its namespace in SHOWSTOPPER_NAMESPACE"
        return [Check("operator", State.WRONG, f"no pod of it is in namespace {where}", remedy)]
    names = ", ".join(pod["metadata"]["name"] for pod in pods)
    remedy = f"kubectl -n {where} describe pod {names}"
    return [Check("operator", State.WRONG, f"is not ready: {names} in namespace {where}", remedy)]


async def _agents(client: Client, _: str) -> list[Check]:
    pods = await client.list(POD, AGENT_NAMESPACE, labels={_COMPONENT: "agent"})
    if not pods:
        message = "none is there: podKill is the only fault that can run"
        return [Check("agents", State.LIMITED, message, "helm upgrade ... --set agent.enabled=true")]
    nodes = {node["metadata"]["name"]: node for node in await client.list(NODE)}
    by_node = {pod["spec"].get("nodeName", ""): pod for pod in pods}
    return [await _agent(client, name, nodes.get(name, {}), by_node.get(name)) for name in sorted({*nodes, *by_node})]


async def _agent(client: Client, name: str, node: Mapping[str, Any], pod: Object | None) -> Check:
    what = f"agent on {name or 'no node'}"
    kernel = node.get("status", {}).get("nodeInfo", {}).get("kernelVersion", "")
    system = f"Linux {kernel}" if kernel else "kernel not known"
    if pod is None:
        return Check(what, State.LIMITED, f"is not there ({system})", "look at the chart's agent.tolerations")
    if not _is_ready(pod):
        remedy = f"kubectl -n {AGENT_NAMESPACE} describe pod {pod['metadata']['name']}"
        return Check(what, State.LIMITED, f"is not ready ({system})", remedy)
    return Check(what, State.WELL, f"is ready: {system}, {await _backends(client, pod['metadata']['name'])}")


async def _backends(client: Client, pod: str) -> str:
    """How it does what it does, as it has said when it started."""
    path = f"{POD.path(AGENT_NAMESPACE, pod, 'log')}?container=agent&limitBytes={_LOG_BYTES}"
    try:
        log = (await client.raw(path)).decode(errors="replace")
    except ClusterError:
        return "its backends are not known (its log may not be read)"
    for line in log.splitlines():
        if '"backends"' in line:
            told = json.loads(line)
            missing = ", ".join(told.get("missing") or ())
            return f"by {told.get('method')}" + (f", without {missing}" if missing else "")
    return "its backends are not known (they are in the first lines of its log)"


async def _archive(client: Client, _: str) -> list[Check]:
    try:
        await reading.runs(client, limit=1)
    except ArchiveError as error:
        message = "is away: runs go on, and what listeners hear is kept for an hour only"
        return [Check("archive", State.LIMITED, message, str(error))]
    return [Check("archive", State.WELL, "answers")]


async def _rooms(client: Client, namespace: str) -> list[Check]:
    bodies = await client.list(AUDIO_ROOM, namespace)
    if not bodies:
        remedy = "apply an AudioRoom (examples/own-livekit.yaml), or install charts/audio-room"
        return [Check("rooms", State.WRONG, f"namespace {namespace} has none", remedy)]
    return [check for body in bodies for check in await _room(client, AudioRoom.parse(body))]


async def _room(client: Client, room: AudioRoom) -> list[Check]:
    what, name = f"room {room.metadata.name}", room.metadata.name
    ready = conditions.find(room.status.conditions, ConditionType.READY)
    if ready is None or room.status.observed_generation < room.metadata.generation:
        return [Check(what, State.WRONG, "the operator has not looked at it yet", "look at the operator above")]
    if ready.status != "True":
        remedy = f"kubectl -n {room.metadata.namespace} get pods -l showstopper.dev/room={name}"
        return [Check(what, State.WRONG, f"{ready.reason}: {ready.message}", remedy)]
    return [Check(what, State.WELL, ready.message), *await _clocks(client, room)]


async def _clocks(client: Client, room: AudioRoom) -> list[Check]:
    """Whether the clocks of the nodes that the room's listeners are on agree with this machine's."""
    feeds = Feeds(client, room.metadata.namespace, room.metadata.name, Clock())
    await feeds.once()
    what = f"clocks of {room.metadata.name}"
    if not feeds.ahead:
        return [Check(what, State.LIMITED, feeds.note or "no listener answers")]
    offset = median(feeds.ahead.values())
    spread = max(feeds.ahead.values()) - min(feeds.ahead.values())
    message = f"{offset * 1000:+.0f} ms to this machine's, {spread * 1000:.0f} ms to each other's"
    if max(abs(offset), spread) <= MOST_OFFSET_SECONDS:
        return [Check(what, State.WELL, message)]
    return [Check(what, State.LIMITED, message, "have all nodes, and this machine, follow one NTP server")]


def _is_ready(pod: Mapping[str, Any]) -> bool:
    found = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in found)
