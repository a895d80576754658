"""Connection: which cluster and namespace to use, and as whom, by the rules of kubectl."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from showstopper.errors import SettingsError

if TYPE_CHECKING:
    from showstopper.cluster.client import Client

_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Connection:
    """The global options. `open` connects."""

    kubeconfig: Path | None = None
    context: str | None = None
    given_namespace: str | None = None
    as_user: str | None = None
    as_group: str | None = None

    @property
    def namespace(self) -> str:
        """The given namespace, else the context's, else (in a pod) the pod's, else `default`.

        Raises:
            SettingsError: no namespace can have that name.
        """
        from showstopper.api.schema.base import NAME_PATTERN, WRITE_A_NAME  # noqa: PLC0415 - heavy, as the client

        name = self.given_namespace or self._of_context() or "default"
        if not re.fullmatch(NAME_PATTERN, name):
            raise SettingsError(f'invalid namespace "{name[:100]}": {WRITE_A_NAME}')
        return name

    @asynccontextmanager
    async def open(self) -> "AsyncIterator[Client]":
        """A client for the duration of the block.

        Raises:
            SettingsError: no usable kubeconfig.
        """
        from showstopper.cluster.client import Client  # noqa: PLC0415 - the client is heavy, and --help needs none

        self._check()
        files = os.pathsep.join(str(file) for file in self._files())
        client = await Client.connect(Path(files) if files else None, self.context, headers=self._headers())
        try:
            yield client
        finally:
            await client.close()

    def _headers(self) -> dict[str, str]:
        """The headers of an impersonation."""
        if self.as_group and not self.as_user:
            raise SettingsError("--as-group requires --as: the API server impersonates a user in a group")
        headers = {"Impersonate-User": self.as_user, "Impersonate-Group": self.as_group}
        return {name: value for name, value in headers.items() if value}

    def _files(self) -> list[Path]:
        """The kubeconfigs to read. None inside a pod."""
        if self.kubeconfig:
            return [self.kubeconfig]
        named = os.environ.get("KUBECONFIG", "")
        if not (named or self.context) and _OWN_NAMESPACE.exists():
            return []
        return [Path(part) for part in named.split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]

    def _of_context(self) -> str:
        files = self._files()
        if not files:
            return _OWN_NAMESPACE.read_text().strip()
        return namespace_of(_merged(files), self.context)

    def _check(self) -> None:
        """Name what is wrong with a kubeconfig in one sentence, before a library does it in many.

        Raises:
            SettingsError: there is no kubeconfig, or a file is none.
        """
        files = self._files()
        if files and not any(file.is_file() for file in files):
            names = ", ".join(str(file) for file in files)
            raise SettingsError(f"cannot connect: there is no kubeconfig at {names}; {_HOW}")
        for file in files:
            if file.is_file() and not _is_kubeconfig(_loaded(file)):
                raise SettingsError(f"{file} is not a kubeconfig; {_HOW}")


def _is_kubeconfig(content: object) -> bool:
    """Whether it has the lists of a kubeconfig, as far as it has them at all."""
    lists = ("contexts", "clusters", "users")
    return isinstance(content, dict) and all(isinstance(content.get(name) or [], list) for name in lists)


_HOW = "set KUBECONFIG or pass --kubeconfig"


def namespace_of(kubeconfig: dict[str, object], context: str | None) -> str:
    """The namespace of a context of a kubeconfig (None: the current context). Empty: it has none."""
    wanted = context or kubeconfig.get("current-context")
    contexts = kubeconfig.get("contexts")
    for entry in contexts if isinstance(contexts, list) else []:
        if isinstance(entry, dict) and entry.get("name") == wanted and isinstance(entry.get("context"), dict):
            return str(entry["context"].get("namespace") or "")
    return ""


def _merged(files: list[Path]) -> dict[str, object]:
    """Contexts and current context of several kubeconfigs. The first file that sets something wins."""
    contexts: list[object] = []
    merged: dict[str, object] = {"contexts": contexts}
    for file in files:
        content = _loaded(file)
        if isinstance(content, dict) and _is_kubeconfig(content):
            contexts.extend(content.get("contexts") or [])
            merged.setdefault("current-context", content.get("current-context"))
    return merged


def _loaded(file: Path) -> object:
    """The content of a file. None: it cannot be read, and connecting will say why."""
    try:
        return yaml.safe_load(file.read_text())
    except (OSError, ValueError, yaml.YAMLError):
        return None
