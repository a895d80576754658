"""Kubernetes: whether an object in the run's namespace has a condition, as the API server says."""

import json
from typing import ClassVar

from showstopper.api.expectations.sources import KubernetesCondition, Query
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import Kind
from showstopper.engine.sources.source import Source
from showstopper.errors import ClusterError, Forbidden, NotFound, QueryRefused

OBJECT_NOT_FOUND = "NotFound"
"""The API server's word for an object that does not exist. Of a path that it does not know it says nothing."""


class Kubernetes(Source[KubernetesCondition]):
    """Reads the object itself at every sample."""

    query: ClassVar[type[Query]] = KubernetesCondition

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._kinds: dict[tuple[str, str], Kind] = {}

    async def sample(self, query: KubernetesCondition, namespace: str) -> bool:
        """Whether the condition has that status now. An object that the API server does not have has none.

        Raises:
            QueryRefused: there is no such kind in namespaces, or the operator may not get it.
            ClusterError: no answer.
        """
        kind = await self._kind(query)
        try:
            body = await self._client.get(kind, namespace, query.object_name)
        except NotFound as error:
            if error.reason == OBJECT_NOT_FOUND:
                return False
            raise  # the whole path is gone, such as that of a CRD: nothing was said of the object
        except Forbidden as error:
            group = kind.group_version.rpartition("/")[0]
            raise QueryRefused(
                f'{query.name}: {error}: write another kind, or add {{apiGroups: ["{group}"], resources: '
                f"[{kind.plural}]}} to expectations.kubernetes.rules in the values of the chart"
            ) from error
        conditions = (body.get("status") or {}).get("conditions") or ()
        return any(
            each.get("type") == query.condition and each.get("status") == query.status
            for each in conditions
            if isinstance(each, dict)
        )

    async def _kind(self, query: KubernetesCondition) -> Kind:
        """The kind's path, as the API server tells it."""
        key = query.api_version, query.kind
        if key not in self._kinds:
            self._kinds[key] = await self._discovered(query)
        return self._kinds[key]

    async def _discovered(self, query: KubernetesCondition) -> Kind:
        root = "/apis/" if "/" in query.api_version else "/api/"
        try:
            listed = json.loads(await self._client.raw(f"{root}{query.api_version}"))["resources"]
        except NotFound as error:
            raise QueryRefused(
                f"{query.name}: the cluster has no API {query.api_version}: write the apiVersion and kind of a manifest"
            ) from error
        except (ValueError, KeyError) as error:
            raise ClusterError(f"{root}{query.api_version}: the API server's list of kinds cannot be read") from error
        for each in listed:
            if each["kind"] == query.kind and "/" not in each["name"]:
                if not each["namespaced"]:
                    raise QueryRefused(
                        f"{query.name}: objects of this kind are in no namespace: write a kind that is in the room's"
                    )
                return Kind(query.kind, query.api_version, each["name"])
        raise QueryRefused(
            f"{query.name}: {query.api_version} has no kind {query.kind}: write the apiVersion and kind of a manifest"
        )
