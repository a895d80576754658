"""A kubelet, as far as the API server sees it: pods of Jobs run at once, and end when told to. Nothing runs."""

import asyncio
import json
from typing import Any

from dev.cluster.apiserver import ApiServer
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import POD
from showstopper.cluster.watch import watch
from showstopper.errors import Conflict, NotFound

NODE, ADDRESS = "node1", "198.18.200.77"


class Kubelet:
    """Binds the pods of Jobs to its node and says that they run, for there is no scheduler either.

    Attributes:
        pods: all that it has run, by name. One that is `deaf` ends none of them.
    """

    def __init__(self, client: Client, server: ApiServer, place: str, *, deaf: bool = False) -> None:
        self._client, self._server, self._place = client, server, place
        self._deaf = deaf
        self.pods: dict[str, Object] = {}

    async def __aenter__(self) -> "Kubelet":
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _work(self) -> None:
        labels = {"batch.kubernetes.io/job-name": ""}
        async for event, body in watch(self._client, POD, self._place, labels=labels):
            if not event.exists:
                continue
            name = body["metadata"]["name"]
            if "deletionTimestamp" in body["metadata"]:
                if not self._deaf:
                    await self._end(name, body)
            elif "nodeName" not in body["spec"]:
                self.pods[name] = body
                await asyncio.to_thread(self._bind, name)
                await self._say(name, {"phase": "Running", "podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}]})

    async def report(self, report: Object) -> None:
        """Its pods have ended with this last line."""
        ended = {"exitCode": 1, "message": json.dumps(report)}
        container = {"name": "flooder", "image": "audio", "imageID": "", "restartCount": 0, "ready": False}
        over = {"phase": "Failed", "containerStatuses": [{**container, "state": {"terminated": ended}}]}
        for name in self.pods:
            await self._say(name, over)

    def _bind(self, name: str) -> None:
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name},
            "target": {"apiVersion": "v1", "kind": "Node", "name": NODE},
        }
        path = f"/api/v1/namespaces/{self._place}/pods/{name}/binding"
        self._server.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(binding))

    async def _end(self, name: str, body: Object) -> None:
        """Its containers have ended, and it may go."""
        await self._say(name, {"phase": "Failed"})
        try:
            await self._client.delete(POD, self._place, name, uid=body["metadata"]["uid"], grace_seconds=0)
        except (NotFound, Conflict):
            return

    async def _say(self, name: str, status: dict[str, Any]) -> None:
        try:
            change = [{"op": "add", "path": f"/status/{key}", "value": value} for key, value in status.items()]
            await self._client.patch(POD, self._place, name, change, subresource="status")
        except (NotFound, Conflict):
            return
