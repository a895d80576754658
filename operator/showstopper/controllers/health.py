"""Health and metrics of the operator over HTTP: /healthz, /readyz, /metrics."""

import asyncio
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from showstopper.engine.operation import Operation

STUCK_SECONDS = 20.0
"""A loop that is late by this much serves nobody; the kubelet restarts the container, and runs go on from their
record."""


class LoopDelay:
    """How late the event loop is: a task that sleeps and looks at the clock."""

    def __init__(self) -> None:
        self.lag_seconds = 0.0

    async def beat(self) -> None:
        """Measure for ever."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(1)
            self.lag_seconds = loop.time() - before - 1


class OperationCollector(Collector):
    """Reads the figures when they are asked for: nothing is counted on the way to an injection."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation

    def collect(self) -> list[Metric]:
        """Runs by verdict, those under way, and whether everything has to stop."""
        runs = self._operation.runs.all()
        verdicts = GaugeMetricFamily(
            "showstopper_runs_kept", "Finished runs that are kept, by verdict.", labels=["verdict"]
        )
        for verdict in sorted({run.status.verdict for run in runs if run.status.verdict}):
            verdicts.add_metric([verdict], sum(1 for run in runs if run.status.verdict == verdict))
        active = GaugeMetricFamily(
            "showstopper_runs_active", "Runs that are under way or queued.", value=len(self._operation.runs.active())
        )
        judged = CounterMetricFamily(
            "showstopper_runs_judged", "Runs judged since the operator started.", value=self._operation.runs.judged
        )
        stopped = GaugeMetricFamily(
            "showstopper_stopped",
            "1 while the stop switch is thrown.",
            value=float(self._operation.stop_switch.reason is not None),
        )
        return [verdicts, active, judged, stopped, *self._archive()]

    def _archive(self) -> list[Metric]:
        """Whether the archive answers, where there should be one and it was asked."""
        trouble = self._operation.archive.trouble
        if trouble is None:
            return []
        return [GaugeMetricFamily("showstopper_archive_up", "1 while the archive is ready.", value=float(not trouble))]


def application(operation: Operation, pulse: LoopDelay, leading: Callable[[], bool]) -> web.Application:
    """The three routes. Not ready is: everything that exists is not known yet (a standby is ready to take over)."""
    registry = CollectorRegistry()
    registry.register(OperationCollector(operation))
    Gauge("showstopper_leading", "1 while this operator leads.", registry=registry).set_function(
        lambda: float(leading())
    )
    Gauge(
        "showstopper_loop_lag_seconds", "How late the event loop was in the last second.", registry=registry
    ).set_function(lambda: pulse.lag_seconds)

    async def healthz(_: web.Request) -> web.Response:
        healthy = pulse.lag_seconds < STUCK_SECONDS
        return web.Response(
            text="ok\n" if healthy else f"the loop is {pulse.lag_seconds:.1f} s late\n", status=200 if healthy else 500
        )

    async def readyz(_: web.Request) -> web.Response:
        ready = operation.loaded or not leading()
        return web.Response(text="ok\n" if ready else "still loading\n", status=200 if ready else 503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    return app
