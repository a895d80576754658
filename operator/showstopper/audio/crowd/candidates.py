"""ICE candidates: the addresses that a relay offers, and the one that a listener offers (RFC 8839, 5.1)."""

from __future__ import annotations

import ipaddress
import json
from functools import lru_cache

from showstopper.audio.crowd.stun import HOST_PRIORITY, Address

MOST_BYTES = 4096


def read(line: str) -> Address | None:
    """The address of a candidate over UDP. None for other transports, names (mDNS), and what is no candidate."""
    parts = line.removeprefix("candidate:").split()
    if len(parts) < 8 or parts[2].lower() != "udp" or not (parts[5].isascii() and parts[5].isdecimal()):
        return None
    host = _host(parts[4])
    port = int(parts[5]) if len(parts[5]) <= 5 else 0
    return (host, port) if host and 0 < port <= 65535 else None


def read_trickled(text: str) -> Address | None:
    """The same of a trickled candidate, which is JSON around the line."""
    try:
        init = json.loads(text[:MOST_BYTES])
    except (ValueError, RecursionError):
        return None
    line = init.get("candidate") if isinstance(init, dict) else None
    return read(line) if isinstance(line, str) else None


@lru_cache(maxsize=64)
def _host(text: str) -> str:
    """An IP address as it is written canonically. Nothing if it is none. Each listener is told of the same few."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def version(address: Address) -> int:
    """4 or 6."""
    return 6 if ":" in address[0] else 4


def trickle(address: Address, mid: str) -> str:
    """Our host candidate, as it is trickled."""
    host, port = address
    line = f"candidate:1 1 udp {HOST_PRIORITY} {host} {port} typ host"
    return json.dumps({"candidate": line, "sdpMid": mid, "sdpMLineIndex": 0})
