"""Data Docs: they read well, open without a network, and run nothing that rows or column names bring."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("autosynth_gx.gate", reason="needs great_expectations", exc_type=ImportError)

import great_expectations.expectations as gxe

from autosynth.check_text import headline, outcome_of
from autosynth.checks.families import FAMILIES
from autosynth.exceptions import OutputError
from autosynth.toy import shortcut_table
from autosynth_gx import build_suite, run_gate
from autosynth_gx.expectations import EXPECTATIONS
from autosynth_gx.page_safety import KEPT, make_safe
from tests.core.browser import needs_browser, open_browser

SCRIPT = "<script>window.harm=1</script>"
IMAGE = '<img src="http://example.invalid/x" onerror="window.harm=2">'
FRAME = "<iframe srcdoc='<script>parent.harm=3</script>'></iframe>"


class Elements(HTMLParser):
    """Everything in a page that a browser would act on."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.words: list[str] = []
        self._is_style = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_style = tag == "style"
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}

    def handle_data(self, data: str) -> None:
        if not self._is_style:
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._is_style = False

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def hostile(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows with planted markup in column names, group values and categories."""
    return frame.rename(columns={"severity": SCRIPT, "pressure": IMAGE}).assign(
        hospital=frame["hospital"].map({"north": SCRIPT, "south": FRAME}),
        ward=frame["ward"].replace({"lung": IMAGE, "heart": "$PARAMETER $$ {{7*7}}"}),
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with failed, skipped and passed checks, one that errs, and planted markup everywhere."""
    real, fresh = hostile(shortcut_table(300)), hostile(shortcut_table(300, random_state=1))
    suite = build_suite(real, label="ill", group_by="hospital", name=f"suite {SCRIPT}", self_test=False)
    suite.expectations.append(gxe.ExpectColumnValuesToBeInSet(column="ward", value_set=[IMAGE]))
    suite.expectations.append(gxe.ExpectColumnValuesToBeBetween(column=SCRIPT, max_value=0))
    suite.expectations.append(gxe.ExpectColumnMaxToBeBetween(column=FRAME, max_value=0))  # there is no such column
    suite.expectations.append(EXPECTATIONS["coverage"](reference="unknown", severity="warning"))
    synthetic = fresh.assign(**{SCRIPT: fresh[SCRIPT].max()})
    synthetic.loc[:30, "ward"] = FRAME
    result = run_gate(suite, synthetic, docs_dir=tmp_path_factory.mktemp("site") / "docs")
    assert result.docs_page is not None
    return result.docs_page


@pytest.fixture(scope="module")
def read(page: Path) -> Elements:
    return Elements(page.read_text(encoding="utf-8"))


def test_every_expectation_is_there_with_its_sentence_and_severity(read):
    for family in FAMILIES.values():
        if family.name not in ("rules", "held_out_exact_copies", "held_out_near_copies"):
            assert f"{family.sentence} {family.severity}" in read.text


def test_outcomes_are_words_and_signs(read):
    for outcome in ("✘ failed", "! could not run", "▲ warned", "– skipped", "✔ passed"):
        assert outcome in read.text


def test_what_was_observed_its_limit_and_the_rows_are_shown(read):
    assert re.search(r"0\.\d+ \(limit 0\.\d+\) ?300 rows", read.text)


def test_an_expectation_of_two_checks_shows_both_values(read):
    figures = r"-?[\d.]+ \(limit [\d.]+\)"
    assert re.search(rf"marginal_fidelity: {figures} farthest_column: {figures} 300 rows", read.text)


def test_what_did_not_hold_reads_as_a_wish_and_what_held_as_a_fact(read):
    wish, fact = (FAMILIES[name].sentence for name in ("marginal_fidelity", "whole_numbers"))
    assert f"Wanted: {wish}" in read.text
    assert f"Wanted: {FAMILIES['detectability'].sentence}" in read.text
    assert fact in read.text
    assert f"Wanted: {fact}" not in read.text


def test_a_page_begins_with_the_verdict_and_counts_checks_as_the_command_line_does(tmp_path):
    suite = build_suite(shortcut_table(300), label="ill", self_test=False, name="patients")
    result = run_gate(suite, shortcut_table(300, random_state=1).assign(severity=9.0), docs_dir=tmp_path / "docs")
    assert result.docs_page is not None
    read = Elements(result.docs_page.read_text(encoding="utf-8"))
    assert headline(result.report) in read.text
    outcomes = Counter(outcome_of(check) for check in result.report)
    counts = ", ".join(
        f"{outcomes[word]} {word}" for word in ("failed", "warned", "skipped", "passed") if outcomes[word]
    )
    title = rf"failed: patients, [\d-]+ [\d:]+ UTC \({len(result.report.results)} checks: {counts}\)"
    assert re.match(title, read.text)
    index = Elements((tmp_path / "docs" / "index.html").read_text(encoding="utf-8"))
    assert re.fullmatch(rf"Checks of synthetic rows Checks of synthetic rows {title}", index.text)


def test_a_warning_has_a_badge_of_its_own_and_may_fail_a_run_on_request(tmp_path):
    suite = build_suite(shortcut_table(300), label="ill", self_test=False)
    for expectation in suite.expectations:
        expectation.severity = type(expectation.severity)("warning")
    rows, docs = shortcut_table(300, random_state=1).assign(severity=9.0), tmp_path / "docs"
    mild, strict = (run_gate(suite, rows, docs_dir=docs, fail_on=fail_on) for fail_on in ("critical", "warning"))
    assert (mild.status, strict.status) == ("passed", "failed")
    texts = [Elements(result.docs_page.read_text(encoding="utf-8")).text for result in (mild, strict)]
    for text in texts:
        assert "▲ warned" in text
        assert "✘ failed" not in text
    assert re.match(r"passed: .* \(\d+ checks: \d+ warned, ", texts[0])
    assert "Warnings count like critical failures in this run." not in texts[0]
    assert re.match(r"failed: .* \(\d+ checks: \d+ failed, ", texts[1])
    assert "Warnings count like critical failures in this run." in texts[1]


def test_the_worst_offenders_of_a_failed_check_are_a_table(read):
    assert f"Check Worst Observed Limit marginal_fidelity {SCRIPT}" in read.text


def test_failures_come_first_and_passes_last(read):
    outcomes = ("✘ failed", "▲ warned", "– skipped", "✔ passed")
    places = [read.text.index(outcome) for outcome in outcomes]
    assert places == sorted(places)


def test_planted_markup_is_shown_as_text(read):
    for planted in (SCRIPT, IMAGE, FRAME):
        assert planted in read.text
    assert read.tags <= KEPT | {"html", "head", "meta", "title", "style", "body", "details", "summary"}
    assert not [name for name, _ in read.attributes if name.startswith("on") or name in ("src", "srcdoc", "style")]


def test_a_page_refers_to_nothing_outside(page, read):
    links = {value for name, value in read.attributes if name == "href"}
    assert {link for link in links if not link.startswith("#")} == {"../index.html"}
    head = page.read_text(encoding="utf-8").partition("</head>")[0]
    assert "url(" not in head
    assert "@import" not in head
    assert "default-src 'none'" in head


def test_a_second_run_is_listed_before_the_first(tmp_path):
    real = shortcut_table(300)
    suite = build_suite(real, label="ill", self_test=False)
    docs = tmp_path / "docs"
    pages = [
        run_gate(suite, rows, docs_dir=docs).docs_page
        for rows in (shortcut_table(300, random_state=1), real.assign(severity=9.0))
    ]
    index = Elements((docs / "index.html").read_text(encoding="utf-8"))
    assert [path.parent.name for path in pages] == ["runs", "runs"]
    counts = r"\(\d+ checks: [^()]*\d+ passed\)"
    assert re.fullmatch(rf".*failed: autosynth, .* UTC {counts} passed: autosynth, .* UTC {counts}", index.text)
    assert sorted(path.name for path in docs.iterdir()) == ["index.html", "runs"]


def test_where_no_page_can_be_written_nothing_is_run(tmp_path):
    suite = build_suite(shortcut_table(200), label="ill", self_test=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        run_gate(suite, shortcut_table(200), docs_dir=tmp_path / "file")
    with pytest.raises(OutputError, match="Create it first"):
        run_gate(suite, shortcut_table(200), docs_dir=tmp_path / "absent" / "docs")


def test_a_page_that_great_expectations_fails_to_make_is_an_error(tmp_path, monkeypatch):
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

    def fail(*_: Any) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(ValidationResultsPageRenderer, "render", fail)
    suite = build_suite(shortcut_table(200), label="ill", self_test=False)
    with pytest.raises(OutputError, match="made 0 pages"):
        run_gate(suite, shortcut_table(200), docs_dir=tmp_path / "docs")
    assert not (tmp_path / "docs" / "index.html").exists()


@pytest.mark.parametrize(
    ("planted", "want"),
    [
        ("<script>x()</script>b", "b"),
        ("<svg><script>x()</script></svg>b", "b"),
        ("<a href='javascript:x()'>b</a>", "<a>b</a>"),
        ("<a href='http://example.invalid'>b</a>", "<a>b</a>"),
        ("<a href='#section-1'>b</a>", '<a href="#section-1">b</a>'),
        ("<p style='background:url(x)' onclick=x()>b</p>", "<p>b</p>"),
        ("<p class='a\" onclick=\"x()'>b</p>", "<p>b</p>"),
        ("<b>open", "<b>open</b>"),
        ("</div></body>b", "b"),
        ("<meta http-equiv=refresh content='0;url=x'><base href=x>b", "b"),
        ("<form action=x><input value=y></form>b", "b"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("<style>p{}</style><link rel=stylesheet href=x>b", "b"),
        ("<div class='card collapse'>b</div>", "<details><summary>More</summary>b</details>"),
    ],
)
def test_a_page_keeps_words_and_loses_what_could_act(planted, want):
    body = make_safe(f"<body>{planted}</body>", title="t").partition("<body>\n")[2]
    assert body.removesuffix("</body></html>\n") == want


@pytest.mark.parametrize(
    "planted",
    [
        "<scr<script>ipt>x()</script>",
        "<!--><script>x()</script>-->",
        "<!--<img src=x onerror=x()>",
        "<plaintext><script>x()</script>",
        "<noscript><p title='</noscript><img src=x onerror=x()>'>",
        "<![CDATA[<script>x()</script>]]>",
        "<?php <script>x()</script> ?>",
        "<textarea><script>x()</script>",
        "<title><script>x()</script>",
        "<math><mtext><table><mglyph><style><img src=x onerror=x()>",
        "<SCRIPT/src=x></SCRIPT><IMG/SRC=x\tonerror=x()>",
        "<script",
        "<b \x00onclick=x()>",
    ],
)
def test_however_a_reader_takes_odd_markup_nothing_of_it_acts(planted):
    page = make_safe(f"<body><p>{planted}</p></body>", title="t")
    read = Elements(page.partition("<body>")[2])
    assert read.tags <= {"p", "b", "table"}
    assert read.attributes == set()


@needs_browser
@pytest.mark.parametrize("width", [1200, 390])
def test_a_browser_runs_nothing_loads_nothing_and_complains_of_nothing(page, width):
    with open_browser() as browser:
        for path in (page, page.parent.parent / "index.html"):
            with browser.visit(path, width=width) as visit:
                assert visit.console == []
                assert visit.requests == []
                assert visit.evaluate("window.harm") is None
                assert visit.evaluate("document.querySelectorAll('script, img, iframe, link').length") == 0
                assert visit.width <= width


@needs_browser
def test_outcomes_are_seen_without_web_fonts(page):
    seen = """[...document.querySelectorAll('.fa-times, .fa-check-circle, .fa-exclamation-triangle')]
        .map(icon => getComputedStyle(icon, '::before').content)"""
    with open_browser() as browser, browser.visit(page) as visit:
        icons = visit.evaluate(seen)
        assert icons
        assert all(re.search(r"\u2714|\u2718|!", icon) for icon in icons)
        folded = visit.evaluate("document.querySelector('td details').getBoundingClientRect().height")
        visit.evaluate("document.querySelector('td details').open = true")
        assert visit.evaluate("document.querySelector('td details').getBoundingClientRect().height") > folded
