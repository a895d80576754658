"""Network namespaces: a thread that lives in one, so that whatever it opens belongs there."""

import ctypes
import os
import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from showstopper.errors import NamespaceGone
from showstopper.faults.network.plan import detour
from showstopper.faults.network.rules import Device

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace of a pod, of the node, or a scratch one.

    setns acts on the calling thread only, and a netlink socket belongs to the namespace in which it was opened: so each
    namespace has one thread of its own that never leaves, and everything for it is called there, one call at a time.
    """

    def __init__(self, path: str, enter: Callable[[], None]) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="netns")
        try:
            self.call(enter)
        except BaseException:
            self.close()
            raise

    @classmethod
    def at(cls, path: Path) -> Self:
        """The namespace that is bound at a path (/run/netns/NAME, /proc/PID/ns/net).

        Raises:
            NamespaceGone: when there is none.
        """

        def enter() -> None:
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise _none_at(path, error) from error
            try:
                if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
                    raise NamespaceGone(f"cannot enter {path}: {os.strerror(ctypes.get_errno())}")
            finally:
                os.close(descriptor)

        return cls(str(path), enter)

    @classmethod
    def scratch(cls) -> Self:
        """A new namespace without a name: it ends with its thread."""

        def enter() -> None:
            if _LIBC.unshare(_CLONE_NEWNET) != 0:
                raise NamespaceGone(f"cannot make a namespace: {os.strerror(ctypes.get_errno())}")

        return cls("scratch", enter)

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Have the thread do something. asyncio waits for it with `wrap_future`."""
        return self._thread.submit(work)

    def call(self, work: Callable[[], T]) -> T:
        """Have the thread do something, and wait."""
        return self.submit(work).result()

    def devices(self) -> tuple[Device, ...]:
        """Every network device but `lo` and our own detours, in the order of their numbers."""
        devices = [Device(name, index) for index, name in sorted(self.call(socket.if_nameindex))]
        others = {"lo", *map(detour, devices)}
        return tuple(device for device in devices if device.name not in others)

    def read(self, name: str) -> str:
        """A file of /proc/net as it is in this namespace. Empty: this kernel has none."""
        return self.call(lambda: read_of_thread(name))

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def inode_of(path: Path) -> int:
    """The number of the namespace that is bound at a path: the same for all paths that lead there.

    Raises:
        NamespaceGone: when there is none.
    """
    try:
        return path.stat().st_ino
    except OSError as error:
        raise _none_at(path, error) from error


def _none_at(path: Path, error: OSError) -> NamespaceGone:
    return NamespaceGone(f"no network namespace at {path}: {error.strerror}")


def read_of_thread(name: str) -> str:
    """A file of /proc/net as it is in the calling thread's namespace. Empty: this kernel has none."""
    path = Path("/proc/thread-self/net", name)
    return path.read_text() if path.exists() else ""
