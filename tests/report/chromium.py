"""A real Chromium, driven by Playwright: what a page asks for, and where its words stand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PROGRAM = "/usr/bin/chromium"
# A desk's screen and a telephone's.
WIDTHS = (1280, 390)

# Words beyond the edge of the page or of their picture, and words over other words; in CSS pixels, with one of grace.
_MISPLACED = """() => {
  const found = [], width = document.documentElement.clientWidth;
  const shown = element => element.checkVisibility() && element.getClientRects().length > 0;
  if (document.documentElement.scrollWidth > width) found.push(`the page is wider than its ${width} px`);
  const words = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.data.trim() || !shown(parent) || parent.closest('style')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width < 1) continue;
      words.push({text: node.data.trim().slice(0, 40), box, parent});
      const picture = parent.closest('svg');
      const frame = picture ? picture.getBoundingClientRect() : {left: 0, right: width, top: -1e9, bottom: 1e9};
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 ||
          box.bottom > frame.bottom + 1) found.push(`"${node.data.trim().slice(0, 40)}" is beyond the edge`);
    }
  }
  words.sort((one, other) => one.box.top - other.box.top);
  for (let i = 0; i < words.length; i++)
    for (let j = i + 1; j < words.length && words[j].box.top < words[i].box.bottom - 2; j++) {
      const [one, other] = [words[i], words[j]];
      if (one.parent === other.parent) continue;
      const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      if (wide > 1 && high > 4) found.push(`"${one.text}" is over "${other.text}"`);
    }
  return found;
}"""


@dataclass(slots=True)
class Opened:
    """A page of which everything that it asked for and complained of is known."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def misplaced(self) -> list[str]:
        """Words that cannot be read for where they stand."""
        words: list[str] = self.page.evaluate(_MISPLACED)
        return words


@contextmanager
def running() -> Iterator[Browser]:
    """The browser itself."""
    with sync_playwright() as playwright:
        # Root has no sandbox of Chromium's; the pages are our own.
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, file: Path, width: int) -> Iterator[Opened]:
    """The file, without a network, in a window of that many CSS pixels."""
    with browser.new_context(viewport={"width": width, "height": 900}, offline=True) as context:
        shown = Opened(context.new_page())
        shown.page.on("request", lambda request: shown.asked.append(request.url))
        shown.page.on("console", lambda message: shown.complaints.append(message.text))
        shown.page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        shown.page.goto(file.as_uri())
        yield shown
