"""Sampling: what a run's expectations ask of sources beside the listeners, asked again and again while it lasts.

The samples are kept in the run's record, which is written by its steps. So a restart of the operator loses what was
not written yet, and what was not sampled while it was away: both are Unknown, and no verdict rests on them.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from showstopper.api.expectations.sources import Query
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun, SampledStretch, SourceRecord
from showstopper.availability import samples
from showstopper.availability.measurements import Measurable, Measurement
from showstopper.availability.samples import Samples, Stretch
from showstopper.availability.verdict import Finding
from showstopper.clock import Clock, from_timestamp, to_timestamp
from showstopper.engine.runs import windows
from showstopper.engine.runs.record import RunRecord
from showstopper.engine.sources import Sources
from showstopper.errors import QueryRefused, ShowstopperError

log = structlog.get_logger()


class Sampler:
    """The queries of one run. Each is asked by itself, so that none waits for another that hangs."""

    def __init__(self, record: RunRecord, sources: Sources, clock: Clock, *, every: float) -> None:
        self._record = record
        self._sources = sources
        self._clock = clock
        self._every = every
        known = {source.expectation: source for source in record.run.status.sources}
        self._queries = {
            index: _Sampled(expected.query, known.get(index))
            for index, expected in enumerate(record.run.spec.expect)
            if expected.query is not None
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sample beside what is done meanwhile."""
        tasks = [asyncio.create_task(self._sample_on(index)) for index in self._queries]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def sample(self) -> Finding | None:
        """Take one sample of each now. Returns why one of them can never be taken."""
        await asyncio.gather(*map(self._sample, self._queries))
        refused = next((each for each in self._queries.values() if each.refused), None)
        return Finding(Reason.QUERY_REFUSED, refused.message or "") if refused else None

    async def _sample_on(self, index: int) -> None:
        while True:
            began = asyncio.get_running_loop().time()
            await self._sample(index)
            await asyncio.sleep(max(0.0, began + self._every - asyncio.get_running_loop().time()))

    async def _sample(self, index: int) -> None:
        sampled = self._queries[index]
        try:
            async with asyncio.timeout(samples.STALE_SECONDS):
                holds = await self._sources.sample(sampled.query, self._record.run.metadata.namespace)
        except TimeoutError:
            sampled.failed(f"no answer within {samples.STALE_SECONDS:g} s")
        except ShowstopperError as error:
            sampled.failed(str(error), refused=isinstance(error, QueryRefused))
        except Exception as error:  # a source that breaks costs its expectation, not the run
            log.exception("sample_broke", query=sampled.query.name)
            sampled.failed(f"{type(error).__name__}: {error}; the operator's log has more")
        else:
            sampled.answered(self._clock.now(), holds=holds)
        self._record.keep_samples([each.record(position) for position, each in self._queries.items()])


class _Sampled:
    """One query, and what was sampled of it."""

    def __init__(self, query: Query, known: SourceRecord | None) -> None:
        self.query = query
        self.message = known.message if known else None
        self.refused = False
        self._samples = Samples(stretches(known)) if known else Samples()

    def answered(self, at: float, *, holds: bool) -> None:
        self.refused = False
        self._samples = self._samples.add(at, holds=holds)

    def failed(self, message: str, *, refused: bool = False) -> None:
        self.refused, self.message = refused, message[:1024]

    def record(self, index: int) -> SourceRecord:
        written = [_written(stretch) for stretch in self._samples.stretches]
        return SourceRecord(expectation=index, stretches=written, message=self.message)


def measured(run: ExperimentRun) -> Mapping[Measurable, Measurement]:
    """What the samples in a run's record say of the judged window. Nothing, if the run did not come so far."""
    window = windows.judged_window(run)
    known = {source.expectation: source for source in run.status.sources}
    if window is None or window.seconds <= 0:
        return {}
    return {
        expected.query: samples.measure(
            expected.query,
            stretches(source) if (source := known.get(index)) else (),
            window,
            why=(source.message or "") if source else "",
        )
        for index, expected in enumerate(run.spec.expect)
        if expected.query is not None
    }


def stretches(source: SourceRecord) -> tuple[Stretch, ...]:
    """The stretches of a record."""
    return tuple(
        Stretch(from_timestamp(each.from_), from_timestamp(each.to), each.held, each.missed, each.samples)
        for each in source.stretches
    )


def _written(stretch: Stretch) -> SampledStretch:
    return SampledStretch(
        from_=to_timestamp(stretch.start),
        to=to_timestamp(stretch.end),
        held=round(stretch.held, 6),
        missed=round(stretch.missed, 6),
        samples=stretch.samples,
    )
