"""The Kubernetes API in plain dicts: `kubernetes.aio` underneath, our errors on top."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from showstopper.cluster.connection import JSON, REQUEST_TIMEOUT_SECONDS, Connection, error_of
from showstopper.cluster.kinds import POD, Kind
from showstopper.cluster.kubernetes_aio import Configuration
from showstopper.cluster.kubernetes_aio import config as kube_config
from showstopper.errors import Conflict, Invalid, SettingsError, Unavailable

Object = dict[str, Any]
# How long reads are tried again while the API server is away; writes are the callers' decision.
READ_RETRY_SECONDS = 15.0
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_FAILED_TEST = "the server rejected our request"
"""What the API server says of a JSON patch that does not apply (apiserver: endpoints/handlers/patch.go)."""

_UNTYPED = "failed to create typed patch object"
"""An apply with an unknown field is answered with 500, though it is the object that is wrong."""

# An answer with an object's metadata and nothing else: a whole one, which is written there and read here, is a tenth of
# the time that a write takes.
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_JSON_PATCH = "application/json-patch+json"
_APPLY_PATCH = "application/apply-patch+yaml"


class Client:
    """A connection to one cluster. Every object is a plain dict in the API's spelling.

    All calls raise errors of the ClusterError tree. Reads are tried again while the API server is unavailable.
    """

    def __init__(self, configuration: Configuration, *, headers: Mapping[str, str] | None = None) -> None:
        self._connection = Connection(configuration, headers=headers)

    @classmethod
    async def connect(
        cls, kubeconfig: Path | None = None, context: str | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Self:
        """Connect as kubectl would, and inside a pod with its service account.

        Raises:
            SettingsError: when no usable configuration is found, saying where it was looked for.
        """
        configuration = Configuration()
        named = kubeconfig or os.environ.get("KUBECONFIG") or context
        try:
            if not named and _SERVICE_ACCOUNT.exists():  # noqa: ASYNC240 - once, at start
                kube_config.load_incluster_config(configuration)
            else:
                path = str(kubeconfig) if kubeconfig else None
                await kube_config.load_kube_config(
                    config_file=path, context=context, client_configuration=configuration, persist_config=False
                )
        except (kube_config.ConfigException, OSError) as error:
            raise SettingsError(
                f"no cluster to talk to: {error}; set KUBECONFIG, or give --kubeconfig or --context"
            ) from error
        return cls(configuration, headers=headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._connection.close()

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """One object."""
        return await self._read(kind.path(namespace, name))

    async def list(self, kind: Kind, namespace: str = "", *, labels: Mapping[str, str] | None = None) -> list[Object]:
        """All objects of a kind in a namespace ("" for all), by labels."""
        answer = await self._read(kind.path(namespace), {"labelSelector": selector(labels)} if labels else None)
        return cast("list[Object]", answer["items"])

    async def create(self, kind: Kind, body: Object, *, brief: bool = False) -> Object:
        """Create an object in the namespace that its metadata names. With `brief`, only its metadata is returned."""
        path = kind.path(body["metadata"].get("namespace", ""))
        return await self._write("POST", path, body, accept=_METADATA if brief else JSON)

    async def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        grace_seconds: int | None = None,
        foreground: bool = False,
    ) -> None:
        """Delete an object. With `uid` only if it is still that very object (else Conflict).

        With `foreground` it is there until everything is gone that it owns.
        """
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if foreground:
            options["propagationPolicy"] = "Foreground"
        await self._write("DELETE", kind.path(namespace, name), options, accept=_METADATA)

    async def evict(self, namespace: str, name: str, *, uid: str, grace_seconds: int | None = None) -> None:
        """Evict a pod, if it is still that very one (else Conflict).

        Raises:
            BudgetRefused: a PodDisruptionBudget does not allow it now.
        """
        options: Object = {"preconditions": {"uid": uid}}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        metadata = {"namespace": namespace, "name": name}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata, "deleteOptions": options}
        await self._write("POST", POD.path(namespace, name, "eviction"), body)

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        operations: Sequence[Object],
        *,
        subresource: str = "",
        manager: str = "",
    ) -> Object:
        """JSON patch. A failed `test` is a Conflict.

        `manager`: whom the API server notes in the object's managedFields as the writer of what is changed.
        """
        path = kind.path(namespace, name, subresource)
        query = {"fieldManager": manager} if manager else None
        try:
            return await self._write("PATCH", path, list(operations), query, content_type=_JSON_PATCH)
        except Invalid as error:
            if str(error).startswith(_FAILED_TEST):
                raise Conflict(f"{kind.name} {namespace}/{name} changed meanwhile", status=409) from error
            raise

    async def replace_status(self, kind: Kind, body: Object) -> Object:
        """Replace the status of the object by the body's, if it still has the body's UID and version (else Conflict).

        The rest of the body may be left out, and only the metadata is returned. For the API server this is half the
        work of a JSON patch, which it applies to the whole object in text.
        """
        metadata = body["metadata"]
        path = kind.path(metadata["namespace"], metadata["name"], "status")
        return await self._write("PUT", path, body, accept=_METADATA)

    async def apply(self, kind: Kind, body: Object, *, manager: str = "showstopper") -> Object:
        """Server-side apply, forced: what the body says is ours."""
        metadata = body["metadata"]
        path = kind.path(metadata.get("namespace", ""), metadata["name"])
        query = {"fieldManager": manager, "force": "true", "fieldValidation": "Strict"}
        try:
            return await self._write("PATCH", path, body, query, content_type=_APPLY_PATCH)
        except Unavailable as error:
            if str(error).startswith(_UNTYPED):
                raise Invalid(str(error), status=error.status, reason=error.reason) from error
            raise

    async def raw(self, path: str, *, timeout: float = REQUEST_TIMEOUT_SECONDS) -> bytes:
        """The body of a GET, for instance through the pod proxy."""
        return await self._connection.request("GET", path, timeout=timeout)

    async def pages(
        self,
        kind: Kind,
        namespace: str = "",
        query: Mapping[str, str] | None = None,
        *,
        size: int,
        metadata_only: bool = False,
    ) -> AsyncGenerator[Object, None]:
        """One consistent listing, so many objects at a time. Each page has the listing's metadata beside its items.

        Raises:
            ClusterError: also with status 410, when the API server has forgotten the listing before its last page.
        """
        query = {**(query or {}), "limit": str(size)}
        accept = _METADATA_LIST if metadata_only else JSON
        while True:
            listing = await self._read(kind.path(namespace), query, accept=accept)
            listing["items"] = listing["items"] or []  # null, if there are none and only metadata is asked for
            for item in listing["items"]:
                item.setdefault("kind", kind.name)
            yield listing
            if not listing["metadata"].get("continue"):
                return
            query["continue"] = listing["metadata"]["continue"]

    async def watch_once(
        self,
        kind: Kind,
        namespace: str,
        query: Mapping[str, str],
        *,
        version: str,
        seconds: int,
        begin_timeout: float,
        end_timeout: float,
    ) -> AsyncGenerator[Object, None]:
        """The events of one watch request, bookmarks included. `cluster.watch.watch` is what goes on for ever.

        Args:
            kind: of the objects.
            namespace: where they are, "" for everywhere.
            query: selectors.
            version: the events after this resource version are told.
            seconds: after these the server ends the request.
            begin_timeout: seconds within which the server has to begin its answer.
            end_timeout: seconds within which the server has to have ended it.

        Raises:
            ClusterError: with status 410, when that version is too old.
            Unavailable: the connection broke, or the server was late.
        """
        parameters = {
            **query,
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        path = kind.path(namespace)
        try:
            async with (
                asyncio.timeout(begin_timeout) as beginning,
                self._connection.answer("GET", path, parameters, timeout=end_timeout) as response,
            ):
                beginning.reschedule(None)
                async for line in response.content:
                    event = _parsed("GET", path, line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise error_of(status.get("code", 0), status.get("message", path), status.get("reason", ""))
                    yield event
        except TimeoutError as error:
            raise Unavailable(f"GET {path}: the API server has not begun a watch in {begin_timeout:g} s") from error

    async def _read(self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON) -> Object:
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(Unavailable),
            stop=stop_after_delay(READ_RETRY_SECONDS),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        )
        answer: bytes = await attempts(self._connection.request, "GET", path, query, accept=accept)
        return _parsed("GET", path, answer)

    async def _write(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, str] | None = None,
        *,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Object:
        answer = await self._connection.request(method, path, query, body, content_type=content_type, accept=accept)
        return _parsed(method, path, answer)


def _parsed(method: str, path: str, content: bytes) -> Object:
    """An answer of the API server.

    Raises:
        Unavailable: it is none, such as the page of a proxy that stands in for a server behind it.
    """
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        begin = content[:80].decode(errors="replace")
        raise Unavailable(f"{method} {path}: the answer is not the API server's, it begins with: {begin}")
    return answer


def selector(labels: Mapping[str, str]) -> str:
    """A label or field selector. An empty value asks for the label's presence."""
    return ",".join(f"{name}={value}" if value else name for name, value in labels.items())
