"""The pages in a real browser: what a parser in Python cannot know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import autosynth
from autosynth import CheckReport
from autosynth.pages.page import write_page
from tests.core.browser import Browser, needs_browser, open_browser
from tests.core.test_pages import Outline, evidence_of, planted_pages

pytestmark = needs_browser

PHONE, DESK = 390, 1200
BAD = {"warning", "error", "exception", "issue", "assert"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages whose every outside text holds script, and one of plain rows."""
    folder = tmp_path_factory.mktemp("pages")
    written = {name: write_page(page, folder / f"{name}.html") for name, page in planted_pages().items()}
    return {**written, "plain": plain_page(folder / "plain.html")}


def plain_page(path: Path) -> Path:
    rng = np.random.default_rng(0)
    real = pd.DataFrame(
        {
            "income": rng.lognormal(10, 1, 400).round(2),
            "visits": rng.poisson(2, 400),
            **{f"measurement {place}": rng.normal(size=400) for place in range(8)},
            "ward": rng.choice(["general", "heart", "lung"], 400),
            "seen": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 700, 400), unit="D"),
            "hospital": rng.choice(["north", "south"], 400),
            "ill": rng.choice(["no", "yes"], 400, p=[0.8, 0.2]),
        }
    )
    result = autosynth.rebalance(real, label="ill", group_by="hospital", generator="smote", check="off")
    evidence = evidence_of(real, result.synthetic, label="ill", group_by="hospital")
    checks = autosynth.check(real, result.synthetic, label="ill", group_by="hospital")
    return CheckReport(checks.results, evidence).to_html(path)


KINDS = ("rebalance", "check", "check without rows", "plain")


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_quiet_loads_nothing_and_is_no_wider_than_the_window(
    browser: Browser, pages: dict[str, Path], kind: str, width: int
) -> None:
    with browser.visit(pages[kind], width=width) as visit:
        assert [message for message in visit.console if message.partition(":")[0] in BAD] == []
        assert visit.requests == []
        assert visit.width <= width


@pytest.mark.parametrize("kind", KINDS)
def test_planted_script_does_not_run_and_makes_no_element(browser: Browser, pages: dict[str, Path], kind: str) -> None:
    with browser.visit(pages[kind]) as visit:
        assert visit.evaluate("document.title") != "owned"
        assert (
            visit.evaluate("document.querySelectorAll('script, img, iframe, object, link[rel=stylesheet]').length") == 0
        )
        assert visit.evaluate("document.querySelectorAll('[onerror], [onload], [onmouseover], [onclick]').length") == 0
        assert visit.evaluate("document.querySelectorAll('style').length") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_browser_reads_the_elements_that_were_written_and_mends_none(
    browser: Browser, pages: dict[str, Path], kind: str
) -> None:
    written = Outline(pages[kind].read_text(encoding="utf-8")).elements
    with browser.visit(pages[kind]) as visit:
        names = visit.evaluate("[...document.querySelectorAll('*')].map(e => e.tagName.toLowerCase())")
    assert Counter(names) == written


def test_a_script_that_got_into_a_page_would_not_run(browser: Browser, tmp_path: Path) -> None:
    page = plain_page(tmp_path / "page.html")
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("</main>", "<script>document.title='owned'</script></main>"), encoding="utf-8")
    with browser.visit(page) as visit:
        assert visit.evaluate("document.title") != "owned"
        assert any("Content Security Policy" in message for message in visit.console)


def test_the_browser_helper_sees_messages_and_requests(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "loud.html"
    page.write_text("<img src='absent.png'><script>console.warn('careful'); document.title = 'run'; null.x</script>")
    with browser.visit(page) as visit:
        assert "warning: careful" in visit.console
        assert any(message.startswith("exception") for message in visit.console)
        assert [address.rpartition("/")[2] for address in visit.requests] == ["absent.png"]
        assert visit.evaluate("document.title") == "run"


def test_every_link_of_the_navigation_leads_to_a_visible_heading(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.visit(pages["plain"]) as visit:
        tops = visit.evaluate(
            "[...document.querySelectorAll('nav a')].map(a => document.querySelector(a.getAttribute('href'))"
            ".getBoundingClientRect()).map(box => box.height)"
        )
        assert len(tops) >= 5
        assert min(tops) > 30


def test_text_in_figures_is_large_enough_on_a_phone(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.visit(pages["plain"], width=PHONE) as visit:
        smallest = visit.evaluate(
            "Math.min(...[...document.querySelectorAll('svg text')].map(text => "
            "parseFloat(getComputedStyle(text).fontSize) * text.getCTM().a))"
        )
        assert smallest >= 8


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_background(browser: Browser, pages: dict[str, Path], dark: bool) -> None:
    """The contrast that WCAG 2.2 asks of text (AA): 4.5, measured on every element with text of its own."""
    with browser.visit(pages["plain"], dark=dark) as visit:
        assert visit.evaluate(CONTRAST) >= 4.5


def test_in_print_what_is_folded_is_shown_and_nothing_is_cut(browser: Browser, pages: dict[str, Path]) -> None:
    hidden = (
        "[...document.querySelectorAll('details > :not(summary)')]"
        ".filter(part => !part.checkVisibility({contentVisibilityAuto: true}) || part.offsetHeight === 0).length"
    )
    cut = "[...document.querySelectorAll('.box')].filter(box => box.scrollWidth > box.clientWidth + 1).length"
    with browser.visit(pages["plain"]) as visit:
        assert visit.evaluate(hidden) > 0
    with browser.visit(pages["plain"], width=700, media="print") as visit:
        assert visit.evaluate(hidden) == 0
        assert visit.evaluate(cut) == 0
        assert visit.width <= 700


def test_a_screenshot_shows_both_colours_of_the_figures(
    browser: Browser, pages: dict[str, Path], tmp_path: Path
) -> None:
    with browser.visit(pages["plain"]) as visit:
        shot = Image.open(visit.screenshot(tmp_path / "page.png")).convert("RGB")
    pixels = np.asarray(shot).reshape(-1, 3)
    for colour in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):
        assert (np.abs(pixels.astype(int) - colour).max(axis=1) < 8).sum() > 500


CONTRAST = """
(() => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const linear = c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = rgb => [0.2126, 0.7152, 0.0722]
    .reduce((sum, weight, place) => sum + weight * linear(rgb[place] / 255), 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const back = channels(getComputedStyle(e).backgroundColor);
      if (back.length < 4 || back[3] === 1) return back;
    }
    return [255, 255, 255];
  };
  const hasText = e => [...e.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  const texts = [...document.body.querySelectorAll('*')].filter(e => hasText(e) && e.checkVisibility());
  return Math.min(...texts.map(e => {
    const style = getComputedStyle(e);
    const [one, other] = [luminance(channels(e.closest('svg') ? style.fill : style.color)), luminance(behind(e))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  }));
})()
"""
