"""Settings of a door, from the environment of its pod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from showstopper.audio import settings
from showstopper.audio.settings import Identity
from showstopper.errors import SettingsError


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What a door needs to know.

    Attributes:
        name: of this door, among its replicas.
        url: LiveKit's signalling, as clients reach it: it is in the answer to them.
        api_url: LiveKit's service API, as the door reaches it.
        rooms: names of the LiveKit rooms that it lets into.
        peers: addresses of all replicas, such as http://door-1.doors:8090. Its own may be among them.
        per_second: requests that one address may make, on average.
        burst: how many of them at once.
        drain_seconds: how long it goes on answering after SIGTERM, until nobody is sent to it any more.
        identity: of its pod. None: nobody asks it for faults.
    """

    name: str
    url: str
    api_url: str
    rooms: tuple[str, ...]
    key: str
    secret: str = field(repr=False)
    peers: tuple[str, ...] = ()
    per_second: float = 10.0
    burst: float = 50.0
    drain_seconds: float = 3.0
    identity: Identity | None = None
    port: int = 8090

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> DoorSettings:
        """From the variables SHOWSTOPPER_* and LIVEKIT_* of a door's pod.

        Raises:
            SettingsError: naming the variable, and what it must be.
        """
        url = settings.text(environment, "LIVEKIT_URL", "LiveKit's address for clients, for instance ws://relay:7880")
        if not url.startswith(("ws://", "wss://")):
            raise SettingsError(f"LIVEKIT_URL is {url!r}; it must begin with ws:// or wss://")
        rooms = _names(settings.text(environment, "SHOWSTOPPER_DOOR_ROOMS", "the rooms' names, with commas"))
        if not rooms:
            raise SettingsError("SHOWSTOPPER_DOOR_ROOMS names no room; write the rooms' names, with commas")
        return cls(
            name=settings.text(environment, "SHOWSTOPPER_POD", "the pod's name"),
            url=url,
            api_url=environment.get("LIVEKIT_API_URL", "").strip() or url,
            rooms=rooms,
            key=settings.text(environment, "LIVEKIT_API_KEY", "the API key's name"),
            secret=settings.text(environment, "LIVEKIT_API_SECRET", "the API key's secret"),
            peers=_names(environment.get("SHOWSTOPPER_DOOR_PEERS", "")),
            per_second=settings.number(environment, "SHOWSTOPPER_DOOR_PER_SECOND", 10, 0.1, 1e6),
            burst=settings.number(environment, "SHOWSTOPPER_DOOR_BURST", 50, 1, 1e6),
            drain_seconds=settings.number(environment, "SHOWSTOPPER_DOOR_DRAIN_SECONDS", 3, 0, 600),
            identity=Identity.read(environment),
            port=int(settings.number(environment, "SHOWSTOPPER_PORT", 8090, 0, 65535, whole=True)),
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))
