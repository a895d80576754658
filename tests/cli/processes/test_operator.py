"""`showstopper operator`: its settings."""

import asyncio

import pytest

from showstopper.cli.processes import operator
from showstopper.cli.processes.operator import Settings
from showstopper.engine.rooms import Images
from showstopper.engine.rooms.fleet import manifests
from showstopper.errors import SettingsError
from tests.support import build


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The fewest variables that will do."""
    for name in ("PULL_SECRETS", "PULL_POLICY"):
        monkeypatch.delenv(f"SHOWSTOPPER_AUDIO_{name}", raising=False)
    monkeypatch.setenv("SHOWSTOPPER_AUDIO_IMAGE", "audio:1")
    return monkeypatch


def test_the_image_needs_no_secrets(environment: pytest.MonkeyPatch) -> None:
    assert Settings.from_environment().images == Images("audio:1", "IfNotPresent", ())


@pytest.mark.parametrize("text", ["mirror,backup", " mirror, backup,"])
def test_the_charts_secrets_reach_every_pod_of_the_fleet(environment: pytest.MonkeyPatch, text: str) -> None:
    environment.setenv("SHOWSTOPPER_AUDIO_PULL_SECRETS", text)
    images = Settings.from_environment().images
    for manifest in manifests.manifests(build.room(), images):
        spec = manifest["spec"]["template"]["spec"]
        assert spec["imagePullSecrets"] == [{"name": "mirror"}, {"name": "backup"}]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SHOWSTOPPER_AUDIO_IMAGE", "", "is not set: it names the image"),
        ("SHOWSTOPPER_PORT", "http", "set it to a port number"),
    ],
)
def test_a_wrong_setting_is_named(environment: pytest.MonkeyPatch, name: str, value: str, says: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}.*{says}"):
        Settings.from_environment()


async def test_a_process_that_lost_leadership_ends_at_once_and_one_that_stops_in_order_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    stopped = asyncio.create_task(asyncio.sleep(60))
    stopped.cancel()
    await asyncio.wait([stopped])
    operator.exit_if_lost(stopped)
    assert codes == []
    lost = asyncio.create_task(asyncio.sleep(0))
    await lost
    operator.exit_if_lost(lost)
    assert codes == [1]
