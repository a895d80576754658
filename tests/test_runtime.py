"""Runtime: every process of ours ends in order on SIGTERM, and with one line when a setting is wrong."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Iterator

import pytest
import structlog

from showstopper import runtime
from showstopper.errors import SettingsError


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Leave logging as it was: what is configured here writes to this test's standard error."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def run(code: int | None = None) -> None:
    async def work(settings: str, stop: asyncio.Event) -> int | None:
        assert settings == "settings"
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        return code

    runtime.run("agent", lambda: "settings", work)


@pytest.mark.parametrize("code", [None, 0, 1])
def test_it_works_until_a_signal_and_exits_with_the_works_code(code: int | None) -> None:
    with pytest.raises(SystemExit) as caught:
        run(code)
    assert caught.value.code == code


def test_no_collection_of_garbage_looks_through_what_was_loaded() -> None:
    """That would stop all threads for 35 ms in an agent."""

    async def work(_: str, __: asyncio.Event) -> int:
        return int(len(gc.get_objects()) > 10_000 or gc.get_freeze_count() < 10_000)

    gc.unfreeze()
    with pytest.raises(SystemExit) as caught:
        runtime.run("agent", lambda: "settings", work)
    assert caught.value.code == 0


def test_a_wrong_setting_is_one_line_with_the_name_of_the_process() -> None:
    def wrong() -> str:
        raise SettingsError("NODE_NAME is not set")

    async def work(_: str, __: asyncio.Event) -> None:
        raise AssertionError("nothing works without settings")

    with pytest.raises(SystemExit) as caught:
        runtime.run("agent", wrong, work)
    assert caught.value.code == "showstopper agent: NODE_NAME is not set"


def test_an_unknown_level_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWSTOPPER_LOG_LEVEL", "loud")
    with pytest.raises(SystemExit) as caught:
        run()
    assert "SHOWSTOPPER_LOG_LEVEL is 'loud': set it to debug, info, warning or error" in str(caught.value.code)


def test_a_variable_that_is_required_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_NAME", "node1")
    assert runtime.required("NODE_NAME", "it names the node") == "node1"
    monkeypatch.delenv("NODE_NAME")
    with pytest.raises(SettingsError, match="NODE_NAME is not set: it names the node"):
        runtime.required("NODE_NAME", "it names the node")


def test_a_port_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWSTOPPER_PORT", "9090")
    assert runtime.port() == 9090
    monkeypatch.setenv("SHOWSTOPPER_PORT", "http")
    with pytest.raises(SettingsError, match="set it to a port number"):
        runtime.port()
