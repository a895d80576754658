"""The stop switch, as the operator sees it. While it is set, every run is aborted, and none starts."""

from collections.abc import Callable

import structlog

from showstopper.api.reasons import Reason
from showstopper.api.stop_switch import STOP_SWITCH, STOP_SWITCH_ROLE, stop_reason
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import CONFIG_MAP
from showstopper.cluster.mirror import Change, ChangeType, Mirror
from showstopper.errors import Forbidden, NotFound, SettingsError

log = structlog.get_logger()


class StopSwitch:
    """Whether everything has to stop.

    Args:
        namespace: the agents', which look at the same ConfigMap.
    """

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._observers: list[Callable[[], None]] = []
        self._mirror = Mirror(
            client,
            CONFIG_MAP,
            namespace,
            fields={"metadata.name": STOP_SWITCH},
            keep=lambda body: body,
            on_change=self._take,
        )
        self.reason: str | None = None

    def add_observer(self, changed: Callable[[], None]) -> None:
        """Call this whenever the switch, or its reason, has changed."""
        self._observers.append(changed)

    @property
    def finding(self) -> Finding | None:
        """Why a run has to end or may not start, and what to do. None: the switch is not set."""
        return stopped(self._namespace, self.reason) if self.reason is not None else None

    async def look(self) -> None:
        """Read it before anything starts.

        Raises:
            SettingsError: the operator may not read it, and so must not run anything.
        """
        try:
            self._mirror.learn(await self._client.get(CONFIG_MAP, self._namespace, STOP_SWITCH))
        except NotFound:
            return
        except Forbidden as error:
            raise SettingsError(f"the stop switch cannot be read: {error}; {_ROLE}") from error

    async def watch(self) -> None:
        """Follow every change, until cancelled."""
        await self._mirror.run()

    def _take(self, change: Change[Object]) -> None:
        reason = None if change.type is ChangeType.DELETED else stop_reason(change.value)
        if reason == self.reason:
            return
        self.reason = reason
        log.warning("stop_switch", reason=reason)
        for changed in self._observers:
            changed()


def stopped(namespace: str, reason: str) -> Finding:
    """Why a run has to end or may not start while the switch of a namespace is set, and what to do."""
    where = f"ConfigMap {namespace}/{STOP_SWITCH}"
    then = "clear it with showstopper resume, then request another run"
    return Finding(Reason.STOPPED, f"the stop switch is set: {reason} ({where}: {then})", Verdict.ABORTED)


_ROLE = f"the chart's Role {STOP_SWITCH_ROLE} allows it"
