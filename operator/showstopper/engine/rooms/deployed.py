"""Deployed: which release the components of a room run, from their pods and the workloads behind these."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from showstopper.api.room import AudioRoom, Component, ComponentImage
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.cluster.listeners import ROLE_LABEL
from showstopper.engine.rooms import pods as room_pods
from showstopper.engine.rooms import releases, rollouts
from showstopper.engine.rooms.releases import MIXED, DeployedReleases
from showstopper.engine.rooms.rollouts import Rollout, Workload


async def look(client: Client, room: AudioRoom, components: Collection[str] = ()) -> DeployedReleases:
    """What the room's components run now, afresh. `components`: these alone, or all if empty.

    The workloads are read first: their pods are then at least as new as what is known of the workloads.

    Raises:
        InvalidResource: when a component names a container that its pods do not have.
    """
    namespace = room.metadata.namespace
    workloads = await read_workloads(client, namespace)
    return of(room, await client.list(POD, namespace), workloads, components)


async def read_workloads(client: Client, namespace: str) -> list[Workload]:
    """All workloads of a namespace that replace their pods."""
    return [rollouts.read(kind, body) for kind in rollouts.KINDS for body in await client.list(kind, namespace)]


def of(
    room: AudioRoom, pods: Iterable[dict[str, Any]], workloads: Iterable[Workload], components: Collection[str] = ()
) -> DeployedReleases:
    """What the room's components run. `components`: these alone, or all if empty.

    Raises:
        InvalidResource: when a component names a container that its pods do not have.
    """
    everyone, known = list(pods), list(workloads)
    looked_at = [component for component in room.spec.components if not components or component.name in components]
    by_component = {component.name: room_pods.of_component(component, everyone) for component in looked_at}
    behind = {component.name: _behind(component, by_component[component.name], known) for component in looked_at}
    under_way = [workload.rollout for group in behind.values() for workload in group if workload.rollout is not None]
    templates = {name: _template(by_component[name], group) for name, group in behind.items()}
    plain = room_pods.images(room, by_component)
    images = tuple(image.model_copy(update={"template": templates[image.component]}) for image in plain)
    held = _first(under_way, held=True)
    if held is None and (foreign := sorted(name for name, template in templates.items() if template.startswith(MIXED))):
        held = f"pods of component {foreign[0]} have two templates of its Argo Rollout: finish or abort the canary"
    return DeployedReleases(
        images,
        moving=_first(under_way, held=False),
        held=held,
        draining=room_pods.leaving(room, by_component, plain),
        several={
            name: why for name, group in behind.items() if (why := _several(name, by_component[name], group, images))
        },
    )


def _behind(component: Component, pods: Sequence[Mapping[str, Any]], workloads: Iterable[Workload]) -> list[Workload]:
    """The workloads that make the component's pods: by the labels of their template, or by a pod that is there.

    By labels also while there is no pod of the new template yet; by its pods, if a component asks for labels that a
    controller adds.
    """
    wanted = component.selector.match_labels.items()
    owners = {rollouts.owner_of(pod) for pod in pods if room_pods.is_live(pod)}
    return [
        workload
        for workload in workloads
        if (workload.labels.items() >= wanted or workload.owner in owners) and ROLE_LABEL not in workload.labels
    ]


def _template(pods: Sequence[Mapping[str, Any]], workloads: Sequence[Workload]) -> str:
    """What tells the pod templates of a component apart, after MIXED if there may be several. "" without one."""
    owners = {workload.owner for workload in workloads}
    strangers = [pod for pod in pods if room_pods.is_live(pod) and rollouts.owner_of(pod) not in owners]
    foreign = rollouts.foreign_template(strangers)
    parts = sorted({*foreign, *(workload.template for workload in workloads)})
    if not parts:
        return ""
    content = parts[0] if len(parts) == 1 else hashlib.sha256(repr(parts).encode()).hexdigest()[:10]
    mixed = len(foreign) > 1 or any(workload.rollout is not None for workload in workloads)
    return f"{MIXED}{content}" if mixed else content


def _several(
    component: str,
    pods: Sequence[Mapping[str, Any]],
    workloads: Sequence[Workload],
    images: Sequence[ComponentImage],
) -> str:
    """What runs side by side in a component, for a person. "" if all of its pods are of one release."""
    own = [image for image in images if image.component == component]
    if (apart := releases.side_by_side(own)) is not None:
        return apart
    if any(image.template.startswith(MIXED) for image in own):
        return f"pods of component {component} have several templates"
    owners = {rollouts.owner_of(pod) for pod in pods if room_pods.is_live(pod)}
    software = {workload.software: workload for workload in workloads if workload.owner in owners}
    if len(software) < 2:
        return ""
    named = ", ".join(f"{workload.kind} {workload.name}" for workload in software.values())
    return f"component {component} has workloads with different containers ({named})"


def _first(under_way: Iterable[Rollout], *, held: bool) -> str | None:
    return min((rollout.message for rollout in under_way if rollout.held is held), default=None)
