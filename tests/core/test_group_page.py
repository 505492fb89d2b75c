from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autosynth.cli import main
from autosynth.gain_words import gain_parts, gain_verdict, part_title, part_verdict
from autosynth.gains import Gain
from autosynth.group_reports import GroupReport, group_report
from autosynth.pages.gain_section import gain_section
from autosynth.pages.group_page import group_page
from autosynth.pages.page import render
from tests.core.browser import Browser, open_browser

SCRIPT = "<script>document.title='owned'</script>"
IMAGE = "<img src=x onerror=\"document.title='owned'\">"
HOSTILE = ("]]></svg>" + SCRIPT, IMAGE, "$a^b$ & \"quoted\" 'too'", "dogs\x00 \ud800 and 犬", "x" * 300)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as running:
        yield running


def rows(n_rows: int = 1200, seed: int = 0, n_segments: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ill = rng.random(n_rows) < 0.15
    seen, more = rng.normal(size=(2, n_rows)) + ill
    segment = rng.integers(n_segments, size=n_rows)
    return pd.DataFrame(
        {
            "ill": np.where(ill, "yes", "no"),
            "site": [f"site {number}" for number in segment],
            "old": 1 / (1 + np.exp(2.5 - seen)),
            "new": 1 / (1 + np.exp(1.0 - seen - more)),
            "moved": 1 / (1 + np.exp(0.5 - seen)),
        }
    )


def report_of(frame: pd.DataFrame, new: str = "new", **options: object) -> GroupReport:
    settings = {"baseline": frame["old"], "groups": frame["site"], "n_bootstrap": 60} | options
    return group_report(frame["ill"], frame[new], **settings)


def page_of(report: GroupReport) -> str:
    return render(group_page(report))


def hostile_report() -> GroupReport:
    frame = rows(600, n_segments=len(HOSTILE))
    sites = frame["site"].map({f"site {number}": name for number, name in enumerate(HOSTILE)})
    labels = frame["ill"].map({"yes": SCRIPT, "no": IMAGE}).rename(f"label {SCRIPT}")
    proba = pd.DataFrame({IMAGE: 1 - frame["new"], SCRIPT: frame["new"]})
    other = pd.DataFrame({IMAGE: 1 - frame["old"], SCRIPT: frame["old"]})
    return group_report(labels, proba, baseline=other, groups=sites.rename(f"site {IMAGE}"), n_bootstrap=40)


def test_the_page_leads_with_what_the_gain_is_made_of() -> None:
    report = report_of(rows())
    page = page_of(report)
    assert report.gain is not None
    assert report.gain.sentence in page.replace("&#39;", "'")
    assert page.index(report.gain.sentence) < page.index("<section")
    titles = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert titles == [
        "Risk by group",
        "Where the gain comes from",
        "Reliability before and after",
        "Other scores",
        "Notes, and how to repeat it",
    ]
    assert "random_state" in page
    assert "crosswise" in page


def test_a_mere_shift_is_never_called_better() -> None:
    report = report_of(rows(4000), new="moved")
    page = page_of(report)
    assert report.difference is not None
    assert report.difference.balanced_risk.high < 0
    assert "a mere shift of the prior" in page
    assert ">better<" not in page.replace("</span>better", ">better")
    assert 'class="verdict good"' not in page


def test_better_ranking_is_called_so() -> None:
    page = page_of(report_of(rows(4000)))
    assert 'class="verdict good"' in page
    assert "better ranking" in page


def test_text_and_page_tell_the_same_steps_numbers_and_verdict() -> None:
    for new in ("new", "moved", "old"):
        report = report_of(rows(2000), new=new)
        assert report.gain is not None
        page = page_of(report).replace("−", "-")
        text = str(report)
        verdict = gain_verdict(report.gain)
        assert f"verdict: {verdict}" in text
        assert verdict in page.partition("<h1>")[0]
        steps = page.partition("Steps of the gain of new model")[2].partition("</table>")[0]
        told = text.partition("nats gained, paired")[2]
        assert len(gain_parts(report.gain)) == 5
        for part in gain_parts(report.gain):
            line = next(line for line in told.splitlines() if line.strip().startswith(part_title(part) + " "))
            numbers = re.search(r"[+-][.\d]+ \[.*?\]", line)
            assert numbers is not None
            assert numbers[0] in steps
            assert line.endswith(part_verdict(part, report.gain.total))
            assert part_verdict(part, report.gain.total) in steps


def tiny_loss() -> Gain:
    noise = 1e-4 * np.r_[0.0, np.linspace(-1, 1, 40)]
    stages = {"b": 1.0 + 0 * noise, "b, shifted": 0.8 + 0 * noise, "n, shifted": 0.8007 + noise, "n": 0.8007 + noise}
    return Gain.of(stages, ("baseline_shift", "ranking", "own_shift"), level=0.95, baseline="b", fitted_on="")


def test_a_loss_of_ranking_too_small_to_matter_is_no_bad_verdict() -> None:
    gain = tiny_loss()
    assert gain.step("ranking").verdict == "loss"
    assert gain.is_mere_shift
    assert gain_verdict(gain) == "a mere shift of the prior"
    assert part_verdict(gain.step("ranking"), gain.total) == "loss, but tiny"
    assert gain.sentence.endswith("; ranking is worse by less than 0.001, too little to matter.")
    section = "".join(gain_section({"n": gain}).html)
    assert 'class="verdict bad"' not in section
    assert "loss, but tiny" in section


def test_without_a_baseline_the_page_tells_of_one_model() -> None:
    page = page_of(report_of(rows(), baseline=None))
    assert "Where the gain comes from" not in page
    assert "baseline" not in page.partition("</style>")[2]
    assert "the worst group" in page


def test_without_replicates_the_page_has_values_and_no_limits() -> None:
    page = page_of(report_of(rows(), n_bootstrap=0))
    assert "nan" not in page.partition("</style>")[2].lower()


def test_thirty_groups_are_drawn_and_all_stand_in_the_table() -> None:
    frame = rows(6000, n_segments=40)
    page = page_of(report_of(frame))
    figures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    drawn = set(re.findall(r"ill=\w+, site=site \d+", figures[0]))
    table = page.partition("The 80 groups in numbers")[2].partition("</table>")[0]
    assert len(drawn) == 30
    assert len(set(re.findall(r"ill=\w+, site=site \d+", table))) == 80
    assert "The 30 groups with the highest risk of 80 are drawn." in page
    assert len(page) < 1_000_000


def test_small_groups_are_marked() -> None:
    page = page_of(report_of(rows(), small_group=50))
    assert "* fewer than 50 rows" in page
    assert re.search(r"ill=yes, site=site \d \* \(\d+\)", page)


def test_several_classes_have_a_figure_each_and_no_more_than_six() -> None:
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(8), 900)
    y = [f"class {rng.choice(8, p=row)}" for row in proba]
    names = [f"class {number}" for number in range(8)]
    page = page_of(group_report(y, proba, classes=names, baseline=proba[:, ::-1], n_bootstrap=20))
    assert len(re.findall(r'aria-label="Reliability for class', page)) == 6
    assert "6 of 8 classes are drawn" in page


def test_equal_reports_give_equal_pages() -> None:
    assert page_of(report_of(rows(300))) == page_of(report_of(rows(300)))


def test_every_name_from_the_data_is_escaped() -> None:
    page = page_of(hostile_report())
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_planted_scripts_do_not_run_and_nothing_is_asked_of_the_network(browser: Browser, tmp_path: Path) -> None:
    target = hostile_report().to_html(tmp_path / "report.html")
    with browser.visit(target) as visit:
        assert visit.evaluate("document.title") == "autosynth: risk by group"
        assert visit.evaluate("document.querySelectorAll('script, img').length") == 0
        assert visit.evaluate("document.querySelectorAll('svg text').length") > 10
        assert visit.console == []
        assert visit.requests == []


@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_is_no_wider_than_its_window(browser: Browser, tmp_path: Path, width: int) -> None:
    target = hostile_report().to_html(tmp_path / "report.html")
    with browser.visit(target, width=width) as visit:
        assert visit.width <= width
        figures = "[...document.querySelectorAll('figure .box')].every(box => box.scrollWidth <= box.clientWidth)"
        assert visit.evaluate(figures)  # a phone shows every figure whole


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows(200).to_csv(tmp_path / "rows.csv", index=False)
    arguments = ["report", str(tmp_path / "rows.csv"), "--label", "ill", "--proba", "new", "--baseline", "old"]
    with pytest.raises(SystemExit) as exit_info:
        main([*arguments, "--group-by", "site", "--html", str(tmp_path / "page.html")])
    assert exit_info.value.code == 0
    assert "page.html" in capsys.readouterr().err
    assert "Where the gain comes from" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["page.pdf", "absent/page.html"])
def test_a_page_that_cannot_be_written_is_refused_before_the_work(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["report", str(tmp_path / "no-such-file.csv"), "--label", "ill", "--proba", "new"]
    with pytest.raises(SystemExit) as exit_info:
        main([*arguments, "--html", str(tmp_path / name)])
    assert exit_info.value.code == 2
    assert name.rpartition("/")[2] in capsys.readouterr().err
