"""Pages as a browser shows them: nothing is asked for, every word can be read, on a desk, a telephone and paper."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from showstopper.api.verdicts import Verdict
from showstopper.report import page
from tests.report import build
from tests.report.chromium import WIDTHS, opened, running

pytestmark = pytest.mark.browser

LONG = "a-name-that-is-as-long-as-kubernetes-allows-it-to-be-in-a-label"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as launched:
        yield launched


def long_names() -> str:
    record = build.record(Verdict.FAILED, message=f"{LONG}, twice: {LONG}{LONG}")
    record.run.metadata.name = LONG
    for target in record.run.status.targets:
        target.pod = f"{LONG}-687645b55d-ztdts"
    return page.of_run(record)


PAGES: dict[str, Callable[[], str]] = {
    "run": lambda: page.of_run(build.record()),
    "silent": lambda: page.of_run(build.silent(Verdict.INCONCLUSIVE)),
    "day": lambda: page.of_day(build.day(listeners=12)),
    "long": long_names,
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", list(PAGES))
def test_nothing_is_asked_for_and_every_word_can_be_read(
    browser: Browser, name: str, width: int, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(PAGES[name]())
    with opened(browser, file, width) as shown:
        assert shown.asked == [file.as_uri()]
        assert shown.complaints == []
        assert shown.misplaced() == []
        shown.page.emulate_media(media="print")
        shown.page.set_viewport_size({"width": 703, "height": 1000})  # A4 without its margins
        assert shown.misplaced() == []


def test_exactly_one_size_of_each_picture_is_shown(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(PAGES["run"]())
    for width in WIDTHS:
        with opened(browser, file, width) as shown:
            assert shown.page.locator("svg:visible").count() == 2


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ('<img src="https://198.18.0.1/x.png">', ""),
        ("<p style='white-space: nowrap'>" + "wide " * 400 + "</p>", "beyond the edge"),
        ("<p>under</p><p style='position: relative; top: -30px'>over this</p>", "is over"),
    ],
)
def test_what_this_looks_for_is_found(browser: Browser, broken: str, said: str, tmp_path: Path) -> None:
    """A check that cannot fail is none."""
    file = tmp_path / "report.html"
    file.write_text(PAGES["silent"]().replace("</main>", f"{broken}</main>"))
    with opened(browser, file, WIDTHS[0]) as shown:
        if said:
            assert any(said in words for words in shown.misplaced())
        else:
            assert any("Content Security Policy" in complaint for complaint in shown.complaints)
