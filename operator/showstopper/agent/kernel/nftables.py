"""nftables through libnftables: commands as JSON in, JSON out, without a shell or a program in between."""

import ctypes
import ctypes.util
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from showstopper.errors import KernelRefused
from showstopper.faults.network.rules import LIVE, PREFIX, Command

_OUTPUT_JSON = 1 << 4
PROTOCOLS = ("ip", "ip6")


@dataclass(frozen=True, slots=True)
class Count:
    """What a counter has seen: packets, or batches that pass in one piece, and their bytes."""

    packets: int = 0
    bytes: int = 0


def _library() -> ctypes.CDLL:
    """The library (Debian: libnftables1) with the signatures that we use."""
    try:
        library = ctypes.CDLL("libnftables.so.1")
    except OSError as error:
        raise KernelRefused(f"libnftables is not installed (Debian: libnftables1): {error}") from error
    library.nft_ctx_new.restype = ctypes.c_void_p
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
        getattr(library, name).restype = ctypes.c_char_p
    for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error", "nft_ctx_free"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
    library.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    return library


class Nftables:
    """A connection to the packet filter of the calling thread's namespace; use it in that thread only."""

    def __init__(self) -> None:
        self._library = _library()
        self._context = self._library.nft_ctx_new(0)
        self._library.nft_ctx_output_set_flags(self._context, _OUTPUT_JSON)
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)

    def run(self, commands: Sequence[Command]) -> list[dict[str, Any]]:
        """Run commands in one transaction: all of them or none; what they list.

        Raises:
            KernelRefused: with what libnftables says.
        """
        answer = self._run(json.dumps({"nftables": commands}))
        return list(json.loads(answer)["nftables"]) if answer else []

    def tables(self) -> list[tuple[str, str]]:
        """(family, name) of every table that is ours."""
        found = [item["table"] for item in self.run([{"list": {"tables": None}}]) if "table" in item]
        return [(table["family"], table["name"]) for table in found if table["name"].startswith(PREFIX)]

    def delete(self, tables: Iterable[tuple[str, str]]) -> None:
        """Delete tables with all that is in them; together."""
        doomed: list[Command] = [{"delete": {"table": {"family": family, "name": name}}} for family, name in tables]
        if doomed:
            self.run(doomed)

    def counters(self, family: str, table: str) -> Mapping[str, Count]:
        """All counters of a table by their names."""
        listed = self.run([{"list": {"counters": {"family": family, "table": table}}}])
        found = [item["counter"] for item in listed if "counter" in item]
        return {
            one["name"]: Count(int(one["packets"]), int(one["bytes"]))
            for one in found
            if one["table"] == table and one["family"] == family
        }

    def extend(self, families: Iterable[str], table: str, milliseconds: int, *, of: str = LIVE) -> None:
        """Let the elements of a set live for so long from now: add, delete and add in one transaction.

        Adding an element that is there does not extend it (on any kernel), and without the first `add` the `delete`
        fails when it has run out. As text, for JSON knows whole seconds only; names and numbers in it are our own.
        """
        lines = []
        for family in families:
            place = f"element {family} {table} {of}"
            plain = "{ " + ", ".join(PROTOCOLS) + " }"
            timed = "{ " + ", ".join(f"{protocol} timeout {milliseconds}ms" for protocol in PROTOCOLS) + " }"
            lines += [f"add {place} {timed}", f"delete {place} {plain}", f"add {place} {timed}"]
        self._run("\n".join(lines))

    def end(self, families: Iterable[str], table: str) -> None:
        """Take the lease's elements away: nothing is hit any more."""
        self.run([{"flush": {"set": {"family": family, "table": table, "name": LIVE}}} for family in families])

    def close(self) -> None:
        """Free the library's memory and socket."""
        self._library.nft_ctx_free(self._context)

    def _run(self, text: str) -> str:
        failed = self._library.nft_run_cmd_from_buffer(self._context, text.encode())
        answer: bytes = self._library.nft_ctx_get_output_buffer(self._context) or b""
        problem: bytes = self._library.nft_ctx_get_error_buffer(self._context) or b""
        if failed:
            raise KernelRefused(f"nftables: {problem.decode().strip() or 'refused, without a reason'}")
        return answer.decode()
