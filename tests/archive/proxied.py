"""An API server whose service proxy leads to an archive: here a small HTTP server, for no node runs in tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from showstopper.api.reasons import Reason
from showstopper.cluster.client import Client
from showstopper.cluster.listeners import CROWD, LISTENER, ROLE_LABEL
from tests.archive.build import run
from tests.availability.build import EPOCH, L, document
from tests.availability.build import spans as story

HERE = "showstopper-system"
PROXY = "/api/v1/namespaces/{namespace}/services/{service}/proxy/{path:.*}"


class Cluster:
    """An API server whose service proxy answers by path, and what was asked of it."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.listed: dict[str, list[dict[str, str]]] = {}
        self.refusal: tuple[int, str] | None = None
        self.asked: list[str] = []
        self.pods: dict[str, dict[str, Any]] = {}

    async def proxy(self, request: web.Request) -> web.Response:
        self.asked.append(request.raw_path)
        if self.refusal is not None:
            status, message = self.refusal
            return web.json_response({"message": message}, status=status)
        if self.listed and request.match_info["path"] == "v1/runs":
            asked = [runs for filter_, runs in self.listed.items() if filter_ in request.query]
            return web.json_response({"runs": [run for runs in asked for run in runs]})
        answer = self.answers.get(request.match_info["path"])
        if answer is None:
            return web.json_response({"message": "no run x is kept", "reason": Reason.RUN_NOT_FOUND}, status=404)
        return web.Response(text=answer) if isinstance(answer, str) else web.json_response(answer)

    async def list_pods(self, _: web.Request) -> web.Response:
        pods = [
            {"metadata": {"name": name, "labels": {ROLE_LABEL: _role(name)}}, "status": {"podIP": "198.18.1.1"}}
            for name in self.pods
        ]
        return web.json_response({"items": pods})

    async def feed(self, request: web.Request) -> web.Response:
        return web.json_response(self.pods[request.match_info["pod"].partition(":")[0]])


def _role(pod: str) -> str:
    return CROWD if "-crowd-" in pod else LISTENER


@asynccontextmanager
async def proxied(tmp_path: Path) -> AsyncIterator[tuple[Cluster, Client]]:
    """It, and a client of it."""
    cluster = Cluster()
    app = web.Application()
    app.router.add_get(PROXY, cluster.proxy)
    app.router.add_get("/api/v1/namespaces/{namespace}/pods", cluster.list_pods)
    app.router.add_get("/api/v1/namespaces/{namespace}/pods/{pod}/proxy/v1/{feed}", cluster.feed)
    async with TestServer(app) as server:
        config = tmp_path / "kubeconfig"
        config.write_text(
            "current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
            f'clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{server.port}"}}}}]\n'
        )
        async with await Client.connect(config) as client:
            yield cluster, client


def kept(cluster: Cluster, **changed: Any) -> None:
    """Have it keep a run, and what its room told."""
    heard = [span.shifted(-EPOCH) for span in story("pod-0/0", [(L, 20)])]
    feeds = [{**document(heard, clock=40), "offset": EPOCH}]
    cluster.answers["v1/runs/kill-1-uid"] = {"run": run(), "seenAt": "x", "goneAt": None}
    cluster.answers["v1/runs/kill-1-uid/spans"] = {"from": EPOCH, "to": EPOCH + 30, "feeds": feeds, **changed}
