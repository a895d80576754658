"""Archiving: whether the archive answers. It is said on every room and in the figures, and nothing waits for it."""

import asyncio

import aiohttp
import structlog

log = structlog.get_logger()

EVERY_SECONDS = 10.0
TIMEOUT_SECONDS = 5.0
# A pod that is replaced is no trouble: what listeners told meanwhile is read from their rings.
PATIENCE = 3
LONGEST_REASON = 300


class ArchiveWatch:
    """Asks the archive now and then whether it is ready.

    Attributes:
        trouble: why it is not reachable. Empty if it is, None if there is no archive or nothing is known yet.
    """

    def __init__(self, url: str = "") -> None:
        self.trouble: str | None = None
        self._url = url.rstrip("/")
        self._failed = 0

    @property
    def configured(self) -> bool:
        """Whether there should be an archive at all."""
        return bool(self._url)

    async def run(self) -> None:
        """Ask for ever, if there is somebody to ask."""
        if not self.configured:
            return
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            while True:
                self.note(await self._ask(session))
                await asyncio.sleep(EVERY_SECONDS)

    def note(self, problem: str) -> None:
        """Take in an answer: empty, or what is wrong. It is trouble when it has been wrong for some time."""
        before = self.trouble
        self._failed = self._failed + 1 if problem else 0
        if not problem:
            self.trouble = ""
        elif self._failed >= PATIENCE:
            self.trouble = problem
        if self.trouble and not before:
            log.warning("archive_unavailable", problem=self.trouble)
        elif before and not self.trouble:
            log.info("archive_available_again")

    async def _ask(self, session: aiohttp.ClientSession) -> str:
        try:
            async with session.get(f"{self._url}/readyz", allow_redirects=False) as answer:
                said = (await answer.content.read(LONGEST_REASON)).decode(errors="replace").strip()
                return "" if answer.status == 200 else f"the archive is not ready: {said or answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"the archive does not answer at {self._url}: {str(error) or type(error).__name__}"
