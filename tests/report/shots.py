"""Shots: pictures of reports as Chromium shows and prints them, to be looked at: build/shots/."""

import sys
from pathlib import Path

from showstopper.api.verdicts import Verdict
from showstopper.report import page
from tests.report import build
from tests.report.chromium import WIDTHS, opened, running

FOLDER = Path("build/shots")


def main() -> None:
    """Write the page of a run of every verdict, and of a day, with its pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    pages = {str(verdict).lower(): page.of_run(build.record(verdict)) for verdict in Verdict}
    pages["silent"] = page.of_run(build.silent(Verdict.INCONCLUSIVE))
    pages["crowd"] = page.of_run(build.with_crowd(count=200))
    pages["day"] = page.of_day(build.day(listeners=12))
    with running() as browser:
        for name, text in pages.items():
            file = (FOLDER / f"{name}.html").resolve()
            file.write_text(text, encoding="utf-8")
            for width in WIDTHS:
                with opened(browser, file, width) as shown:
                    shown.page.screenshot(path=FOLDER / f"{name}-{width}.png", full_page=True)
                    if width == WIDTHS[0]:
                        shown.page.pdf(path=FOLDER / f"{name}.pdf", prefer_css_page_size=True, print_background=True)
    sys.stdout.write(f"written to {FOLDER}: {', '.join(pages)}\n")


if __name__ == "__main__":
    main()
