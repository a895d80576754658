"""Connection: requests to one API server, and what is wrong when no good answer comes. All in bytes."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import aiohttp

from showstopper.cluster.kubernetes_aio import Configuration, RESTClientObject
from showstopper.errors import BudgetRefused, ClusterError, Conflict, Forbidden, Invalid, NotFound, Unavailable

REQUEST_TIMEOUT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 75.0
"""The API server closes idle connections after 90 s (apiserver: pkg/server/secure_serving.go); a TLS handshake is 10
ms."""

# A watch event is one line, and holds a whole object: etcd takes 1.5 MiB.
LINE_BYTES = 2**21
JSON = "application/json"
# The cause of a refused eviction; its message names the budget (kubernetes: pkg/registry/core/pod/storage/eviction.go).
_BUDGET = "DisruptionBudget"
_KINDS: dict[int, type[ClusterError]] = {
    400: Invalid, 401: Forbidden, 403: Forbidden, 404: NotFound, 409: Conflict, 422: Invalid,
}  # fmt: skip


class Connection:
    """The API server of a configuration. Connections are kept open between requests.

    The configuration, TLS and tokens are those of `kubernetes.aio`. The session is our own: with `trust_env`, as there,
    aiohttp hops into a thread twice on every request, for netrc and the proxy. Here a proxy is looked up once.
    """

    def __init__(self, configuration: Configuration, *, headers: Mapping[str, str] | None = None) -> None:
        self._configuration = configuration
        self._headers = dict(headers or {})
        self._proxy = configuration.proxy or proxy_for(configuration.host, getproxies_environment())
        self._opened: aiohttp.ClientSession | None = None

    @property
    def _session(self) -> aiohttp.ClientSession:
        """Made with the first request: it belongs to the loop that runs then."""
        if self._opened is None:
            secured = RESTClientObject(self._configuration).ssl_context
            connector = aiohttp.TCPConnector(limit=0, ssl=secured, keepalive_timeout=KEEP_ALIVE_SECONDS)
            self._opened = aiohttp.ClientSession(
                connector=connector, read_bufsize=LINE_BYTES, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._opened

    async def close(self) -> None:
        """Close all connections."""
        if self._opened is not None:
            await self._opened.close()

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        content_type: str = JSON,
        accept: str = JSON,
        timeout: float = REQUEST_TIMEOUT_SECONDS,
    ) -> bytes:
        """The body of a good answer.

        Raises:
            ClusterError: of the kind that fits the answer.
            Unavailable: no answer came, or not all of it.
        """
        async with self.answer(
            method, path, query, body, content_type=content_type, accept=accept, timeout=timeout
        ) as response:
            return await response.read()

    @asynccontextmanager
    async def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        content_type: str = JSON,
        accept: str = JSON,
        timeout: float = REQUEST_TIMEOUT_SECONDS,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A good answer, to be read inside the block. Raises as `request` does, also when it breaks off there."""
        headers = {"Content-Type": content_type, "Accept": accept, **self._headers}
        try:
            for setting in (await self._configuration.auth_settings()).values():
                headers[setting["key"]] = setting["value"]
            async with self._session.request(
                method,
                self._configuration.host + path + (f"?{urlencode(query)}" if query else ""),
                data=None if body is None else json.dumps(body, separators=(",", ":")).encode(),
                headers=headers,
                proxy=self._proxy,
                proxy_headers=self._configuration.proxy_headers,
                server_hostname=self._configuration.tls_server_name or None,
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as response:
                if response.status >= 400:
                    raise refusal(method, path, response.status, await response.read())
                yield response
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(
                f"{method} {path}: no answer from the API server: {error or type(error).__name__}"
            ) from error


def refusal(method: str, path: str, status: int, content: bytes) -> ClusterError:
    """The API's answer as one of our errors, with its own words."""
    try:
        answer = json.loads(content)
        message, reason = str(answer.get("message", "")), str(answer.get("reason", ""))
    except ValueError:
        answer, message, reason = {}, content.decode(errors="replace")[:300].strip(), ""
    if budgets := [cause["message"] for cause in _causes(answer) if cause.get("reason") == _BUDGET]:
        return BudgetRefused("; ".join(budgets), status=status, reason=reason)
    return error_of(status, message or f"{method} {path}: HTTP {status}", reason)


def _causes(answer: Any) -> list[dict[str, Any]]:
    return list((answer.get("details") or {}).get("causes") or ())


def error_of(status: int, message: str, reason: str) -> ClusterError:
    """The error that an HTTP status means."""
    kind = _KINDS.get(status, Unavailable if status == 429 or status >= 500 else ClusterError)
    return kind(message, status=status, reason=reason)


def proxy_for(url: str, proxies: Mapping[str, str]) -> str | None:
    """The proxy on the way to a server, by the environment's variables. `proxies` is what urllib reads of them.

    NO_PROXY may hold address ranges, as kubectl has it and urllib does not.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if proxy_bypass(host, dict(proxies)) or _in_ranges(host, proxies.get("no", "")):
        return None
    return proxies.get(parts.scheme)


def _in_ranges(host: str, excepted: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:  # a name: urllib has compared it
        return False
    for entry in excepted.split(","):
        try:
            if address in ip_network(entry.strip(), strict=False):
                return True
        except ValueError:  # a name again
            continue
    return False
