from __future__ import annotations

import ast
import dataclasses
import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy.stats import spearmanr

import autosynth
from autosynth import CheckReport, CheckResult, RebalanceReport, Table
from autosynth.checks.evidence import Evidence
from autosynth.checks.fidelity import column_distance
from autosynth.checks.result import Offender
from autosynth.exceptions import OutputError
from autosynth.hidden import HIDDEN, plain_options
from autosynth.pages.associations import associations
from autosynth.pages.check_page import check_page
from autosynth.pages.dependence_section import dependence_section
from autosynth.pages.elements import details
from autosynth.pages.figure import figure, name_rows
from autosynth.pages.group_section import MAX_BARS, GroupRows, group_section
from autosynth.pages.map_section import map_section
from autosynth.pages.marginals import Marginals
from autosynth.pages.page import Page, Section, render, write_page
from autosynth.pages.rebalance_page import rebalance_page
from autosynth.pages.repeat_section import call
from autosynth.pages.row_map import RowMap
from autosynth.pages.scale import tick_texts
from autosynth.pages.table import NumberText, table
from autosynth.pages.thinning import thin

MAX_BYTES = 1_000_000
PLANTED = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</style><style>*{display:none}</style>",
    "{{ 7*7 }}{% raw %}",
    "$\\frac{x$",
    "\"' onmouseover='document.title=1' x=\"",
    "]]><!-- &lt; &#x3c;svg/onload=alert(1)>",
    "javascript:alert(1)\x00\x1b[31m",
)
ELEMENTS = {
    *("html", "head", "meta", "link", "title", "style", "body", "header", "nav", "main", "section", "footer"),
    *("a", "p", "h1", "h2", "h3", "dl", "dt", "dd", "div", "ul", "li", "span", "b", "pre", "code", "article"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "figure", "figcaption"),
    *("svg", "g", "path", "use", "defs", "text", "clippath", "rect", "pattern"),
}
ATTRIBUTES = {
    *("lang", "charset", "content", "http-equiv", "name", "rel", "href", "class", "id", "style"),
    *("aria-label", "aria-labelledby", "aria-hidden", "role", "scope", "tabindex"),
    *("viewbox", "d", "x", "y", "width", "height", "transform", "clip-path", "patternunits", "fill"),
}


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.elements["comment"] += 1

    def values(self, name: str) -> list[str]:
        return [value for _, key, value in self.attributes if key == name]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def evidence_of(real: pd.DataFrame, synthetic: pd.DataFrame, **roles: Any) -> Evidence:
    table = Table.from_frame(real, **roles)
    return Evidence(table, synthetic.reset_index(drop=True), table.grouping.codes(synthetic))


def planted_report() -> RebalanceReport:
    """A report in which every text that comes from outside holds script."""
    rng = np.random.default_rng(0)
    n_rows = 160
    frame = pd.DataFrame(
        {
            f"count {PLANTED[0]}": rng.integers(0, 9, n_rows),
            f"size {PLANTED[4]}": rng.normal(size=n_rows),
            f"kind {PLANTED[2]}": rng.choice(list(PLANTED), n_rows),
            f"day {PLANTED[1]}": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n_rows), unit="D"),
            f"group {PLANTED[3]}": rng.choice([PLANTED[0], PLANTED[5]], n_rows),
            f"label {PLANTED[6]}": rng.choice([PLANTED[7], PLANTED[1]], n_rows),
        }
    )
    *_, group_by, label = frame.columns
    frame.loc[::7, frame.columns[1]] = np.nan

    @dataclasses.dataclass(frozen=True)
    class Options:
        prompt: str = ""
        api_key: str = ""

    made = autosynth.rebalance(frame, label=label, group_by=group_by, generator="ros", check="off", augment=30)
    bad = [
        CheckResult(
            name=text,
            subject=text,
            passed=False,
            observed=1.0,
            limit=0.5,
            severity=severity,
            message=text,
            offenders=(Offender(text, 1.0, 0.5),),
        )
        for text in PLANTED
        for severity in ("critical", "warning")
    ]
    good = [
        CheckResult(name=f"exact_copies {text}", subject=text, passed=True, observed=0, limit=1, message=text)
        for text in PLANTED
    ]
    errors = [CheckResult.not_run(text, text, text) for text in PLANTED]
    copies = [
        CheckResult(name="near_copies", subject=PLANTED[0], passed=True, observed=0.1, limit=1, message=PLANTED[2])
    ]
    return dataclasses.replace(
        made.report,
        generator=PLANTED[0],
        options=Options(prompt="".join(PLANTED), api_key="sk-secret"),
        plan=dataclasses.replace(made.report.plan, notes=PLANTED),
        refusals=dict.fromkeys(PLANTED, 3),
        notes=dict.fromkeys([*PLANTED, "half a \ud800 pair"], 4),
        checks=CheckReport(
            (*bad, *good, *errors, *copies), evidence_of(frame, made.synthetic, label=label, group_by=group_by)
        ),
    )


def planted_pages() -> dict[str, Page]:
    report = planted_report()
    return {
        "rebalance": rebalance_page(report),
        "check": check_page(report.checks),
        "check without rows": check_page(CheckReport(report.checks.results)),
    }


@pytest.fixture(scope="module")
def planted() -> dict[str, str]:
    return {name: render(page) for name, page in planted_pages().items()}


@pytest.fixture
def report(frame: pd.DataFrame) -> RebalanceReport:
    result = autosynth.rebalance(frame, label="ill", group_by="hospital", generator="smote", check="off")
    evidence = evidence_of(frame, result.synthetic, label="ill", group_by="hospital")
    checks = CheckReport(
        (
            CheckResult(name="limits", subject="age", passed=True, observed=0.0, limit=0.1, message="all inside"),
            CheckResult(name="dependence", subject="ill=no", passed=False, observed=0.4, limit=0.2, message="apart"),
            CheckResult(
                name="detectability",
                subject="all rows",
                passed=False,
                observed=0.9,
                limit=0.8,
                severity="warning",
                message="told apart",
            ),
            CheckResult.not_run("coverage", "ill=yes", "the real rows are not at hand."),
        ),
        evidence,
    )
    return dataclasses.replace(result.report, checks=checks)


def dots(canvas: Figure) -> None:
    axes = canvas.subplots()
    axes.plot([0, 1, 2], [2, 0, 1], "o-", clip_on=True)
    name_rows(axes, ["plain", "cost in $ and <b>", "a name that is far too long to be written in full"])


def figure_that_fails() -> Any:
    return figure(lambda canvas: canvas.subplots().set_xlim(0, 1 / 0), name="broken", label="x")


# The page


@pytest.mark.parametrize("kind", ["rebalance", "check", "check without rows"])
def test_planted_script_becomes_text(planted: dict[str, str], kind: str) -> None:
    outline = Outline(planted[kind])
    assert set(outline.elements) <= ELEMENTS
    assert {name for _, name, _ in outline.attributes} <= ATTRIBUTES
    assert outline.elements["style"] == 1
    assert all(href.startswith("#") or href == "data:," for href in outline.values("href"))
    assert "<script>document.title='owned'</script>" in outline.text
    assert "{{ 7*7 }}" in outline.text
    assert "$\\frac{x$" in outline.text


@pytest.mark.parametrize("kind", ["rebalance", "check", "check without rows"])
def test_styles_and_links_inside_a_page_come_from_us_alone(planted: dict[str, str], kind: str) -> None:
    outline = Outline(planted[kind])
    for style in outline.values("style"):
        assert not set(style) & set("<>{}\"'\\@"), style
        assert "url(" not in style.replace("url(#fig-", "")
    assert "://" not in planted[kind]


def test_no_page_holds_what_utf8_and_xml_cannot(planted: dict[str, str]) -> None:
    for page in planted.values():
        assert page.encode("utf-8")
        assert not {"\x00", "\x1b"} & set(page)


def test_ids_are_unique_and_every_link_leads_somewhere(planted: dict[str, str]) -> None:
    for page in planted.values():
        outline = Outline(page)
        ids = Counter(outline.values("id"))
        assert max(ids.values()) == 1
        links = {href[1:] for href in outline.values("href") if href.startswith("#")}
        assert links <= set(ids)
        assert set(outline.values("aria-labelledby")) <= set(ids)


def test_a_page_allows_no_script_and_no_source_but_itself() -> None:
    outline = Outline(render(Page(title="t", lead="l", sections=())))
    (policy,) = [content for content in outline.values("content") if "default-src" in content]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert outline.elements["script"] == 0
    assert ("html", "lang", "en") in outline.attributes


def test_the_verdict_stands_above_all_sections(report: RebalanceReport) -> None:
    text = Outline(render(rebalance_page(report))).text
    verdict = "The synthetic rows failed 1 of 4 checks: dependence."
    assert text.index(verdict) < text.index("Groups before and after")


def test_failures_stand_first_then_what_could_not_run_then_warnings(report: RebalanceReport) -> None:
    text = Outline(render(check_page(report.checks))).text
    assert "autosynth.check( real, synthetic, label='ill', group_by=['hospital'], )" in text
    places = [text.index(words) for words in ("✗ failed", "✗ could not run", "! warning", "All checks by kind")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("results", "word"),
    [
        ((), "not checked"),
        (({"passed": True},), "passed"),
        (({"passed": False},), "failed"),
        (({"passed": False, "severity": "warning"},), "passed with 1 warning"),
        (({"passed": False, "error": "no rows"},), "could not be judged"),
        (({"passed": False, "error": "no rows"}, {"passed": False}), "failed"),
    ],
)
def test_the_verdict_is_a_word_and_never_a_colour_alone(results: tuple[dict[str, Any], ...], word: str) -> None:
    some = [CheckResult(name="a", subject="b", observed=0, limit=0, **fields) for fields in results]
    page = check_page(CheckReport(tuple(some)))
    assert page.verdict is not None
    assert page.verdict.word == word
    assert page.verdict.symbol in str(page.verdict.__html__())


def test_without_rows_the_page_says_so_and_shows_the_rest(report: RebalanceReport) -> None:
    outline = Outline(render(check_page(CheckReport(report.checks.results))))
    assert "there is nothing to draw" in outline.text
    assert "told apart" in outline.text
    assert outline.elements["svg"] == 0


def test_a_report_without_checks_says_so(report: RebalanceReport, tmp_path: Path) -> None:
    page = dataclasses.replace(report, checks=CheckReport()).to_html(tmp_path / "page.html")
    assert "The synthetic rows were not checked." in Outline(page.read_text(encoding="utf-8")).text


def test_a_page_that_cannot_be_made_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_text("before")
    with pytest.raises(ZeroDivisionError):
        write_page(Page(title="t", lead="l", sections=(Section(title="s", parts=(figure_that_fails(),)),)), target)
    assert target.read_text() == "before"
    with pytest.raises(OutputError, match="Create it first"):
        CheckReport().to_html(tmp_path / "absent" / "page.html")


def test_the_same_report_gives_the_same_bytes(report: RebalanceReport) -> None:
    assert render(rebalance_page(report)) == render(rebalance_page(report))


def test_figures_and_tables_can_be_heard(planted: dict[str, str]) -> None:
    outline = Outline(planted["rebalance"])
    labels = [value for tag, name, value in outline.attributes if tag == "svg" and name == "aria-label"]
    assert len(labels) == outline.elements["svg"] > 5
    assert all(labels)
    assert outline.elements["caption"] == outline.elements["table"]
    scopes = [value for tag, name, value in outline.attributes if tag == "th" and name == "scope"]
    assert len(scopes) == outline.elements["th"]


# Size


def wide_report(n_rows: int, n_columns: int, n_groups: int) -> CheckReport:
    rng = np.random.default_rng(0)

    def draw() -> pd.DataFrame:
        columns: dict[str, Any] = {}
        for place in range(n_columns - 2):
            columns[f"a rather long name of column {place}"] = (
                rng.normal(size=n_rows),
                rng.poisson(3, n_rows),
                rng.choice([f"value number {level}" for level in range(30)], n_rows),
                pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n_rows), unit="D"),
            )[place % 4]
        columns["region"] = rng.integers(0, n_groups // 2, n_rows).astype(str)
        columns["label"] = rng.choice(["no", "yes"], n_rows)
        return pd.DataFrame(columns)

    evidence = evidence_of(draw(), draw(), label="label", group_by="region")
    results = [
        CheckResult(
            name=f"check_{kind}",
            subject=str(group),
            passed=bool(rng.random() < 0.5),
            observed=0.2,
            limit=0.3,
            message="mean distance of 198 columns is 0.194, allowed 0.684 (20 real rows, 1215 synthetic)",
            offenders=tuple(Offender(f"column {place}", 0.5, 0.3) for place in range(5)),
        )
        for group in evidence.table.groups
        for kind in range(8)
    ]
    return CheckReport(tuple(results), evidence)


@pytest.mark.parametrize(("n_columns", "n_groups"), [(20, 8), (200, 100)])
def test_a_page_stays_below_a_megabyte_and_says_what_it_leaves_out(n_columns: int, n_groups: int) -> None:
    page = render(check_page(wide_report(10_000 if n_columns == 20 else 4_000, n_columns, n_groups)))
    assert len(page.encode()) < MAX_BYTES
    text = Outline(page).text
    assert "columns that are closer are not drawn" in text
    if n_groups > 50:
        for words in (
            "groups with the fewest synthetic rows are not compared",
            "more are in the report's to_frame()",
            "too fine to read",
            f"{n_groups - MAX_BARS} more groups",
        ):
            assert words in text


def test_endless_names_and_messages_are_cut(frame: pd.DataFrame) -> None:
    endless = "endless " * 20_000
    real = frame.rename(columns={"age": f"{endless} age"}).assign(ward=f"{endless} ward", ill=frame["ill"] + endless)
    results = [
        CheckResult(
            name=endless,
            subject=endless,
            passed=passed,
            observed=0,
            limit=0,
            message=endless,
            offenders=(Offender(endless, 1, 1),),
        )
        for passed in (True, False)
    ]
    page = render(check_page(CheckReport(tuple(results), evidence_of(real, real, label="ill"))))
    assert len(page.encode()) < MAX_BYTES


@pytest.mark.parametrize("name", [7, ("a", 1), 2.5, None])
def test_a_column_may_be_called_anything(frame: pd.DataFrame, name: Any) -> None:
    real = frame.set_axis([name, *frame.columns[1:]], axis=1)
    assert f"<b>{name}</b>" in render(
        check_page(
            CheckReport(
                (CheckResult(name="a", subject="b", passed=True, observed=0, limit=0),),
                evidence_of(real, real, label="ill"),
            )
        )
    ).replace("&#39;", "'")


# Tables


def test_numbers_stand_to_the_right_with_the_same_decimals() -> None:
    page = Outline(str(table(["name", "n"], [["a", 0.5], ["b", 12.25], ["c", None]], caption="x")))
    assert page.values("class").count("number") == 4
    assert page.text == "x name n a 0.5 b 12.2 c –"


@given(st.lists(st.floats(allow_infinity=False) | st.integers(-(10**12), 10**12) | st.none(), min_size=1, max_size=5))
def test_any_number_can_be_shown(numbers: list[float | int | None]) -> None:
    shown = Outline(str(table(["n"], [[number] for number in numbers], caption="x", row_header=None)))
    assert shown.elements["td"] == len(numbers)


def test_text_that_reads_as_a_number_stands_where_numbers_stand() -> None:
    assert 'class="number"' in str(table(["n"], [[NumberText("0.1 (0.0 to 0.2)")]], caption="x", row_header=None))


def test_what_is_folded_escapes_its_summary() -> None:
    assert "<b>" not in str(details("<b>", "<b>"))


# Figures


def test_the_same_drawing_gives_the_same_bytes_and_another_name_other_ids() -> None:
    first, again, other = (str(figure(dots, name=name, label="dots")) for name in ("one", "one", "two"))
    assert first == again
    assert not set(Outline(first).values("id")) & set(Outline(other).values("id"))


def test_names_in_figures_are_text_and_long_ones_keep_their_whole_name() -> None:
    drawn = str(figure(dots, name="one", label="<dots>"))
    assert "cost in $ and &lt;b&gt;" in drawn
    assert "<title>a name that is far too long to be written in full</title>" in drawn
    assert 'aria-label="&lt;dots&gt;"' in drawn


def test_drawing_neither_minds_nor_changes_the_settings_of_the_caller() -> None:
    plain = str(figure(dots, name="one", label="dots"))
    mpl.rcParams.update({"font.size": 31.0, "axes.linewidth": 9.0, "axes.formatter.use_mathtext": True})
    try:
        before = dict(mpl.rcParams)
        assert str(figure(dots, name="one", label="dots")) == plain
        assert dict(mpl.rcParams) == before
    finally:
        mpl.rcdefaults()
    assert logging.getLogger("matplotlib").level == logging.NOTSET


@pytest.mark.parametrize("is_home_writable", [True, False])
def test_drawing_is_silent_and_needs_no_pyplot(tmp_path: Path, is_home_writable: bool) -> None:
    program = """
import sys
from autosynth.pages.figure import figure
assert "matplotlib" not in sys.modules
figure(lambda canvas: canvas.text(0.5, 0.5, "日本 €"), name="one", label="x")
assert "matplotlib.pyplot" not in sys.modules
"""
    (tmp_path / "file").touch()
    folder = tmp_path / ("new" if is_home_writable else "file")
    environment = {"MPLCONFIGDIR": str(folder / "settings"), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_ticks_have_no_more_digits_than_tell_them_apart() -> None:
    assert tick_texts([0, 2_500_000, 5_000_000]) == ["0", "2.5M", "5.0M"]
    assert tick_texts([0.001, 0.002, 0.003]) == ["0.001", "0.002", "0.003"]


# Sections


def test_every_column_is_as_far_as_the_checks_measure_it(report: RebalanceReport) -> None:
    evidence = report.checks.evidence
    assert evidence is not None
    pairs = Marginals.of(evidence).pairs
    assert pairs
    for pair in pairs:
        code = list(map(str, evidence.table.groups)).index(pair.group)
        real = evidence.table.frame.loc[evidence.table.group_codes == code, pair.column.name]
        made = evidence.synthetic.loc[evidence.group_codes == code, pair.column.name]
        assert pair.distance == pytest.approx(column_distance(real, made, pair.column))
    assert [pair.excess for pair in pairs] == sorted((pair.excess for pair in pairs), reverse=True)


def test_a_shifted_column_is_drawn_first(frame: pd.DataFrame) -> None:
    evidence = evidence_of(frame, frame.assign(age=frame["age"] + 40), label="ill")
    assert str(Marginals.of(evidence).worst_of_each_column[0].column.name) == "age"


def test_the_pair_that_lost_its_correlation_comes_first() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    real = pd.DataFrame({"x": x, "y": x + rng.normal(size=400), "z": rng.normal(size=400), "label": ["a", "b"] * 200})
    broken = real.assign(y=rng.permutation(real["y"].to_numpy()))
    for group in associations(evidence_of(real, broken, label="label")):
        pair = group.pairs[0]
        assert {pair.first, pair.second} == {"x", "y"}
        assert pair.difference > pair.chance
        side = real[real["label"] == group.group.removeprefix("label=")]
        assert pair.real == pytest.approx(spearmanr(side["x"], side["y"]).statistic, abs=0.005)  # of ranks in cells


def test_the_page_tells_of_the_pair_and_the_numbers_of_the_check() -> None:
    rng = np.random.default_rng(0)
    gaps = rng.random((2, 600)) < 0.3
    real = pd.DataFrame({"work": np.where(gaps[0], None, "a"), "job": np.where(gaps[0], None, "b")})
    real = real.assign(age=rng.normal(size=600), label=["no", "yes"] * 300)
    broken = real.assign(job=np.where(gaps[1], None, "b"))
    report = autosynth.check(real, broken, label="label")
    (found,) = [one for one in report if (one.name, one.subject) == ("farthest_pair", "label=yes")]
    assert report.evidence is not None
    (group,) = [group for group in associations(report.evidence) if group.group == "label=yes"]
    pair = group.pairs[0]
    assert not found.passed
    assert found.message.startswith(f"{pair.first} × {pair.second}: ")
    assert f"{pair.real:.2f} among real, {pair.synthetic:.2f} among synthetic rows" in found.message
    assert pair.difference == pytest.approx(found.observed, abs=1e-4)
    assert pair.limit == pytest.approx(found.limit, abs=1e-3)
    assert max(pair.difference for pair in group.pairs) == pytest.approx(group.differences.max())
    text = Outline(render(check_page(report))).text
    assert f"{pair.first} × {pair.second}" in text
    assert "beyond the limit" in text


def test_a_page_without_a_row_that_fits_says_what_came_and_draws_nothing(frame: pd.DataFrame) -> None:
    report = autosynth.check(frame, frame.drop(columns="age"), label="ill")
    page = check_page(report)
    assert dict(page.tiles)["synthetic rows"] == len(frame)
    assert dict(page.tiles)["of them fit the real table"] == 0
    assert [section.title for section in page.sections] == ["Checks", "Pictures", "To repeat it"]
    text = Outline(render(page)).text
    assert "not drawn: no synthetic row fits the columns of the real table" in text
    assert "Nobody looked" not in text


def test_checks_that_one_reason_kept_from_running_share_a_card() -> None:
    errors = [CheckResult.not_run(name, "all rows", "no row is left.") for name in ("limits", "rules", "coverage")]
    other = CheckResult.not_run("label_fidelity", "all rows", "no memory.")
    outline = Outline(render(check_page(CheckReport((*errors, other)))))
    assert outline.elements["article"] == 2
    assert "3 checks could not run no row is left." in outline.text


def test_skipped_checks_are_never_counted_as_passed() -> None:
    passed = CheckResult(name="limits", subject="age", passed=True, observed=0, limit=1)
    skipped = [dataclasses.replace(passed, subject=str(place), skipped=True) for place in range(13)]
    page = check_page(CheckReport((passed, *skipped)))
    assert page.lead == "The synthetic rows passed 1 check; 13 were skipped for too few rows."
    assert dict(page.tiles) == {"checks passed": 1, "checks skipped for too few rows": 13, "checks not passed": 0}
    nothing = check_page(CheckReport(tuple(skipped)))
    assert nothing.verdict is not None
    assert (nothing.verdict.word, nothing.verdict.tone) == ("too few rows to judge", "none")
    assert nothing.lead.startswith("Nothing can be said")


def test_a_warning_that_could_not_run_has_warned_of_nothing() -> None:
    mild = CheckResult.not_run("detectability", "all rows", "no memory.", severity="warning")
    page = check_page(CheckReport((mild,)))
    assert page.verdict is not None
    assert page.verdict.word == "passed with 1 not run"
    assert page.lead == "No critical check failed, but 1 check that would only warn could not run."


def test_groups_of_a_check_are_counted_side_by_side_and_not_summed(report: RebalanceReport) -> None:
    (section,) = [one for one in check_page(report.checks).sections if "of each group" in one.title]
    text = Outline("".join(section.html)).text
    assert "Group Real Synthetic ill: no" in text
    assert "Total" not in text
    assert "+" not in text


def test_the_call_on_the_page_names_rules_and_held_out_rows(frame: pd.DataFrame) -> None:
    report = autosynth.check(frame, frame, label="ill", holdout=frame.iloc[:30], rules=["age > 0"])
    text = Outline(render(check_page(report))).text
    assert "autosynth.check( real, synthetic, label='ill', holdout=holdout, rules=['age > 0'], )" in text


def test_the_map_says_on_how_many_points_its_crosses_lie(frame: pd.DataFrame) -> None:
    collapsed = frame.iloc[np.repeat([0, 1, 2], 40)]
    section = map_section(evidence_of(frame, collapsed, label="ill"))
    assert "The 120 crosses lie on 3 distinct points" in " ".join(map(str, section.parts))


def test_names_below_a_map_are_numbers_where_they_are_long() -> None:
    rng = np.random.default_rng(0)
    names = ["a rather long name", "another long name", "short"]
    real = pd.DataFrame(rng.normal(size=(200, 3)), columns=names).assign(label=["a", "b"] * 100)
    drawn = "".join(map(str, dependence_section(evidence_of(real, real, label="label")).parts))
    assert "1. a rather long name" in Outline(drawn).text
    assert drawn.count("a rather long name</text>") == 1


def test_the_map_knows_only_the_real_rows(frame: pd.DataFrame) -> None:
    maps = [RowMap.of(evidence_of(frame, rows, label="ill")) for rows in (frame, frame.iloc[:50])]
    assert maps[0] is not None
    assert maps[1] is not None
    np.testing.assert_allclose(maps[0].real, maps[1].real)
    np.testing.assert_allclose(maps[0].real, maps[0].synthetic)  # the same rows lie at the same places
    assert 0 < maps[0].explained <= 1


@given(sizes=st.lists(st.integers(0, 3_000), min_size=1, max_size=30), n_most=st.integers(1, 2_000))
def test_thinning_keeps_something_of_every_group_and_always_the_same(sizes: list[int], n_most: int) -> None:
    codes = np.repeat(np.arange(len(sizes)), sizes)
    kept = thin(codes, n_most)
    np.testing.assert_array_equal(kept, thin(codes, n_most))
    assert len(np.unique(kept)) == len(kept)
    assert set(codes[kept]) == set(codes)
    assert len(kept) <= max(2 * n_most, n_most + len(sizes))


def test_many_groups_show_the_largest_changes_and_fold_the_rest() -> None:
    groups = [GroupRows(name=f"group {place}", n_real=100, n_synthetic=place) for place in range(60)]
    outline = Outline(render(Page(title="t", lead="l", sections=(group_section(groups),))))
    assert outline.values("class").count("bar") == MAX_BARS
    assert outline.text.index("group 59") < outline.text.index("36 more groups") < outline.text.index("group 0")


# To repeat it


def said_arguments(report: RebalanceReport) -> dict[str, Any]:
    (statement,) = ast.parse(call(report)).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in statement.value.keywords}


@pytest.mark.parametrize(
    "asked",
    [
        {"generator": "ros"},
        {"generator": "smote", "generator_options": {"k_neighbors": 3}, "group_by": "hospital", "augment": 5},
        {
            "generator": "ros",
            "group_by": ["hospital", "ward"],
            "strategy": 0.5,
            "random_state": 7,
            "augment": 2,
            "alpha": 0.3,
            "synthetic_weight": 2.0,
        },
        {"generator": "smote", "strategy": {"yes": 60}, "copies": "drop_exact"},
        {"generator": "ros", "group_by": ["age", "hospital"]},
    ],
)
@pytest.mark.parametrize("check", ["off", "warn"])
@pytest.mark.filterwarnings("ignore::autosynth.AutosynthWarning")
def test_the_call_on_the_page_makes_the_same_rows_again(frame: pd.DataFrame, asked: dict[str, Any], check: Any) -> None:
    first = autosynth.rebalance(frame, label="ill", check=check, **asked)
    again = autosynth.rebalance(frame, check="off", **said_arguments(first.report))
    pd.testing.assert_frame_equal(first.data, again.data)
    pd.testing.assert_series_equal(first.weights, again.weights)


@pytest.mark.parametrize("label", ["ill", "severity"])
@pytest.mark.filterwarnings("ignore::autosynth.AutosynthWarning")
def test_bins_and_quantities_are_repeated_where_the_rows_were_compared(frame: pd.DataFrame, label: str) -> None:
    asked: dict[str, Any] = {"group_by": {"age": 3, "hospital": None}, "generator": "ros"}
    first = autosynth.rebalance(frame, label=label, **asked)
    again = autosynth.rebalance(frame, check="off", **said_arguments(first.report))
    pd.testing.assert_frame_equal(first.data, again.data)


def test_secrets_among_options_are_hidden_and_sizes_are_not() -> None:
    @dataclasses.dataclass(frozen=True)
    class Options:
        api_key: str = "sk-1"
        password: str | None = None
        max_new_tokens: int = 5
        headers: dict[str, str] = dataclasses.field(
            default_factory=lambda: {"auth_token": "sk-2", "Authorization": "Bearer sk-3"}
        )
        hosts: tuple[dict[str, str], ...] = ({"AWS_ACCESS_KEY_ID": "sk-4", "url": "https://me:sk-5@example.org/v1"},)

    shown = plain_options(Options())
    assert shown == {
        "api_key": HIDDEN,
        "password": None,
        "max_new_tokens": 5,
        "headers": {"auth_token": HIDDEN, "Authorization": HIDDEN},
        "hosts": ({"AWS_ACCESS_KEY_ID": HIDDEN, "url": f"https://{HIDDEN}@example.org/v1"},),
    }


def test_no_secret_is_on_the_page(planted: dict[str, str]) -> None:
    assert "sk-secret" not in planted["rebalance"]
    assert HIDDEN in planted["rebalance"]


def test_an_unknown_seed_is_said(frame: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    made = autosynth.rebalance(frame, label="ill", generator="ros", check="off", random_state=rng).report
    assert "random_state=..." in call(made)
    assert "Give an int to repeat a run" in Outline(render(rebalance_page(made))).text


# Every kind of column


@pytest.mark.parametrize("kind", ["numbers", "texts", "missing", "constant", "one row", "huge", "durations", "zoned"])
def test_every_kind_of_column_can_be_drawn(kind: str, columns: Callable[[str], pd.DataFrame]) -> None:
    real = columns(kind)
    page = render(
        check_page(
            CheckReport(
                (CheckResult(name="a", subject="b", passed=True, observed=0, limit=0),),
                evidence_of(real, real.iloc[::2], label="label"),
            )
        )
    )
    assert "Columns, real against synthetic" in page


@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_whatever_a_table_may_hold_can_be_drawn(data: st.DataObject, any_column: st.SearchStrategy[pd.Series]) -> None:
    values = data.draw(any_column)
    real = pd.DataFrame({"x": values, "y": values.to_numpy()[::-1] if values.dtype == object else range(len(values))})
    assume(len(real) > 2)
    real["label"] = ["yes", *["no"] * (len(real) - 1)]
    report = CheckReport(
        (CheckResult(name="a", subject="b", passed=True, observed=0, limit=0),), evidence_of(real, real, label="label")
    )
    assert render(check_page(report))


@pytest.fixture
def columns() -> Callable[[str], pd.DataFrame]:
    def build(kind: str) -> pd.DataFrame:
        rng = np.random.default_rng(0)
        n_rows = 4 if kind == "one row" else 80
        x: dict[str, Any] = {
            "numbers": rng.normal(size=n_rows),
            "texts": [f"a text of its own {place}" for place in range(n_rows)],
            "missing": np.full(n_rows, np.nan),
            "constant": np.full(n_rows, 3.5),
            "one row": np.arange(n_rows, dtype=float),
            "huge": rng.choice([-1.7e308, 1e-320, 0.0, 1.7e308], n_rows),
            "durations": pd.to_timedelta(rng.integers(0, 10**6, n_rows), unit="s"),
            "zoned": pd.Series(pd.date_range("2020", periods=n_rows, tz="Asia/Tokyo")).sample(frac=1, random_state=0),
        }
        return pd.DataFrame(
            {
                "x": np.asarray(x[kind]) if kind != "zoned" else x[kind].array,
                "w": rng.random(n_rows) < 0.5,
                "label": ["yes", "no"] * (n_rows // 2),
            }
        )

    return build
