"""The operator's process, for tests that kill it: SIGKILL on the machine, as the kernel's memory killer does it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from dev import stage
from tests.support.staged_room import Object, Show, condition, eventually

DEPLOYMENT = f"/apis/apps/v1/namespaces/{stage.SYSTEM}/deployments/showstopper-operator"
PODS = f"/api/v1/namespaces/{stage.SYSTEM}/pods"
LEADING_SECONDS = 120.0
"""A new pod waits for the Lease of the one that was killed to run out, and for its image's Python to start."""


class Operator:
    """The operator's pod, found once, so that it can be killed within a millisecond."""

    def __init__(self, show: Show) -> None:
        self._show = show
        (pod,) = _pods(show)
        self.name: str = pod["metadata"]["name"]
        self._process = show.cluster.pod(stage.SYSTEM, self.name).processes("operator")[0]

    def kill(self) -> None:
        """SIGKILL. A new pod takes over: a container that restarts again and again would wait longer each time."""
        os.kill(self._process, signal.SIGKILL)
        self._remove()
        eventually("a new operator leads", LEADING_SECONDS, lambda: any(map(_is_ready, _pods(self._show))))

    def freeze(self) -> None:
        """From this moment on it does and sees nothing more."""
        os.kill(self._process, signal.SIGSTOP)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Killed, with none in its place inside the block. Frozen first: from this moment on it does nothing more."""
        self.freeze()
        try:
            self._show.api.merge(DEPLOYMENT, {"spec": {"replicas": 0}})
        finally:
            os.kill(self._process, signal.SIGKILL)
        try:
            self._remove()
            eventually("no operator is left", LEADING_SECONDS, lambda: not _pods(self._show))
            yield
        finally:
            self._show.api.merge(DEPLOYMENT, {"spec": {"replicas": 1}})
        eventually("a new operator leads", LEADING_SECONDS, lambda: any(map(_is_ready, _pods(self._show))))

    def _remove(self) -> None:
        self._show.cluster.run_kubectl(
            "--namespace", stage.SYSTEM, "delete", "pod", self.name, "--grace-period=0", "--force", "--ignore-not-found"
        )


def _pods(show: Show) -> list[Object]:
    pods: list[Object] = show.api.get(PODS, labelSelector="app.kubernetes.io/component=operator")["items"]
    return pods


def _is_ready(pod: Object) -> bool:
    return bool(condition(pod, "Ready")["status"] == "True")
