import resource

import pytest

from showstopper.audio.crowd import sockets
from showstopper.errors import SettingsError


def test_a_process_may_open_as_many_sockets_as_it_is_let() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        sockets.allow(2, instead="fewer")
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_it_does_not_begin_without_a_socket_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))
    says = "1000 listeners need 2064 open files, and this process may have 1024.*or write a smaller perPod"
    with pytest.raises(SettingsError, match=says):
        sockets.allow(1000, instead="a smaller perPod")
