"""Supervision: work begins again after an error, and ends when it is told to."""

import asyncio

import pytest

from showstopper.cluster import supervision


async def test_work_that_fails_or_ends_begins_again_until_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.001)
    begun = asyncio.Queue[int]()

    async def work() -> None:
        begun.put_nowait(1)
        if begun.qsize() % 2:
            raise ZeroDivisionError

    task = asyncio.create_task(supervision.for_ever("work", work))
    async with asyncio.timeout(20):
        while begun.qsize() < 4:
            await asyncio.sleep(0.001)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_cancellation_that_nobody_asked_for_ends_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.001)
    shared = asyncio.get_running_loop().create_future()
    shared.cancel()
    begun = asyncio.Event()

    async def work() -> None:
        if not begun.is_set():
            begun.set()
            await shared
        await asyncio.Event().wait()

    async with asyncio.timeout(20):
        task = asyncio.create_task(supervision.for_ever("work", work))
        await begun.wait()
        await asyncio.sleep(0.05)
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
