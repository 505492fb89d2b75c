from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autosynth.exceptions import AutosynthError, ConfigError, OutputError
from autosynth.interval import Interval
from autosynth.pages.page import render
from autosynth.pages.tuning_page import tuning_page
from autosynth.tuning.arm import CLASS_WEIGHTS, Arm
from autosynth.tuning.judge import Judge
from autosynth.tuning.report import TuningReport
from autosynth.tuning.window import window
from tests.core.browser import Browser, needs_browser, open_browser
from tests.core.race import Race, left_early, smote

SCRIPT = "<script>document.title='owned'</script>"
COLUMNS = [
    "name",
    "generator",
    "ratio",
    "augment",
    "alpha",
    "synthetic_weight",
    "shift",
    "score",
    "standard_error",
    "difference",
    "difference_low",
    "difference_high",
    "rank",
    "chosen",
    "status",
    "reason",
    "n_folds",
    "n_synthetic",
    "seconds",
    "balanced_risk",
    "worst_group_risk",
    "roc_auc",
    "average_precision",
    "log_loss",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as running:
        yield running


def report_of(
    *,
    metric: object = "balanced_cross_entropy",
    better: float = 0.0,
    n_arms: int = 3,
    n_rows: int = 1500,
    generator: str = "ctgan",
    **options: object,
) -> TuningReport:
    """Return a race with plain training, weights, arms of smote, one that left early, one that failed, one too late."""
    race = Race(n_rows, seed=1, **options)  # type: ignore[arg-type]
    outcomes = race.outcomes(n_arms, better=better)
    spare = [race.balanced(race.noisy(), Arm(generator=name), 50.0) for name in (generator, "tvae", "tree")]
    outcomes += [
        left_early(spare[0], race.folds, 2, "dropped", "after 2 of 5 folds, 2 of 4 arms with rows were better"),
        left_early(spare[1], race.folds, 0, "failed", f"ValueError: {generator} broke"),
        left_early(spare[2], race.folds, 1, "out of time", "the time budget of 3 s ended"),
    ]
    judge = Judge.of(race.table, race.folds, metric=metric, n_bootstrap=60)  # type: ignore[arg-type]
    settings = {"generators": {generator: {"k": 3}}, "learner": generator}
    return TuningReport.of(outcomes, judge, settings=settings, random_state=5, seconds=1.25)


@pytest.fixture(scope="module")
def won() -> TuningReport:
    return report_of(better=0.8, groups=("a", "b"))


@pytest.fixture(scope="module")
def declined() -> TuningReport:
    return report_of()


def test_the_table_has_a_row_per_candidate_and_ranks_those_that_finished(won: TuningReport) -> None:
    frame = won.to_frame()
    assert list(frame.columns) == COLUMNS
    assert frame["name"].is_unique
    finished = frame[frame["status"] == "done"]
    assert finished["rank"].tolist() == list(range(1, len(finished) + 1))
    assert finished["score"].is_monotonic_increasing
    assert frame.loc[frame["status"] != "done", "rank"].isna().all()
    assert frame["chosen"].sum() == 1
    assert frame.loc[frame["chosen"], "name"].item() == won.best.name
    assert set(frame["shift"].dropna()) == {"none", "prior", "tuned"}
    assert (frame.loc[frame["generator"] == "smote", "n_synthetic"] > 0).all()
    assert frame.loc[frame["name"].str.startswith("none"), "ratio"].isna().all()


def test_differences_are_paired_and_to_the_best_without_synthetic_rows(won: TuningReport) -> None:
    reference = won.best.pick.reference
    assert reference is not None
    lines = {line.name: line for line in won.lines}
    own = lines[reference.name].difference
    assert (own.value, own.low, own.high) == (0, 0, 0)
    for line in won.lines:
        if line.rank is not None and line.scored is not None:
            assert line.difference.value == pytest.approx(line.scored.loss - reference.loss)
            alone = math.hypot(line.standard_error, reference.standard_error)
            assert (line.difference.high - line.difference.low) / (2 * 1.96) < alone


def test_candidates_that_left_early_are_compared_on_the_folds_that_they_ran(won: TuningReport) -> None:
    early = next(line for line in won.lines if line.name == "ctgan, ratio 1")
    assert early.scored is not None
    assert early.outcome.n_done == 2
    assert early.scored.folds.sum() == 2
    reference = won.best.pick.reference
    assert reference is not None
    assert early.difference.value != pytest.approx(early.scored.loss - reference.loss, abs=1e-4)
    assert math.isfinite(early.difference.low)


def test_metrics_are_shown_in_their_own_direction() -> None:
    report = report_of(metric="roc_auc", better=0.8)
    frame = report.to_frame()
    finished = frame[frame["rank"].notna()]
    assert finished["score"].is_monotonic_decreasing
    assert finished["score"].to_numpy() == pytest.approx(finished["roc_auc"].to_numpy())
    assert finished.loc[finished["rank"] == 1, "difference"].item() > 0
    assert (finished["difference_low"] <= finished["difference_high"]).all()
    assert set(finished["shift"]) == {"none"}


def test_arms_that_did_not_finish_are_listed_with_their_reasons(won: TuningReport) -> None:
    assert {outcome.arm.name: outcome.status for outcome in won.failed} == {
        "ctgan, ratio 1": "dropped",
        "tvae, ratio 1": "failed",
        "tree, ratio 1": "out of time",
    }
    frame = won.to_frame().set_index("name")
    assert frame.loc["tvae, ratio 1", "reason"] == "ValueError: ctgan broke"
    assert math.isnan(frame.loc["tvae, ratio 1", "score"])
    text = str(won)
    assert "tvae, ratio 1: failed. ValueError: ctgan broke" in text
    assert "tree, ratio 1: out of time. the time budget of 3 s ended" in text
    assert "1 arm left the race early" in text


def test_the_text_is_short_leads_with_the_answer_and_fits(won: TuningReport, declined: TuningReport) -> None:
    for report in (won, declined):
        lines = str(report).splitlines()
        assert max(map(len, lines)) <= 120
        assert len(lines) <= 30
        assert lines[0].startswith(("smote, ratio", "No synthetic rows; ", "Do nothing: "))
        assert "flattered" in str(report)
        assert sum(line.lstrip().split(" ")[0].endswith("*") for line in lines) == 1
    assert str(declined.best) in " ".join(str(declined).split("\n\n")[0].split("\n"))


def test_names_in_the_text_are_told_apart_and_plain_training_is_always_there(won: TuningReport) -> None:
    many = report_of(generator="a_generator_with_a_name_of_quite_some_length_that_nobody_would_shorten", n_arms=9)
    for report in (won, many):
        names = re.findall(r"^ *\d+\*? +(.*?)  +\d\.", str(report), flags=re.MULTILINE)
        assert len(set(names)) == len(names)
        assert "none" in names


def test_average_precision_of_the_more_frequent_class_is_noted() -> None:
    races = {share: Race(400, share=share) for share in (0.1, 0.9)}
    notes = {share: TuningReport.of(each.outcomes(1), Judge.of(each.table, each.folds)).notes
             for share, each in races.items()}  # fmt: skip
    assert notes[0.1] == ()
    assert "Average precision is that of 'yes', the more frequent class; positive_class='no' gives" in notes[0.9][0]


def test_long_names_and_many_arms_still_fit() -> None:
    report = report_of(generator="a_generator_with_a_name_of_quite_some_length_that_nobody_would_shorten", n_arms=9)
    assert max(map(len, str(report).splitlines())) <= 120
    assert "more: report.to_frame()" in str(report)


def test_the_gain_of_every_arm_adds_up_for_the_whole_and_every_group(won: TuningReport) -> None:
    assert set(won.gains) == {
        "class weights",
        "smote, ratio 0.333333333333",
        "smote, ratio 0.666666666667",
        "smote, ratio 1",
    }
    for arm in won.gains.values():
        assert [str(each.group) for each in arm.groups] == [
            "ill=no, site=a", "ill=yes, site=a", "ill=no, site=b", "ill=yes, site=b"
        ]  # fmt: skip
        for gain in (arm.balanced, *(each.gain for each in arm.groups)):
            assert sum(part.nats.value for part in gain.steps) == pytest.approx(gain.total.nats.value, abs=1e-12)
        for place, part in enumerate(arm.balanced.steps):
            mean = np.mean([each.gain.steps[place].nats.value for each in arm.groups])
            assert mean == pytest.approx(part.nats.value, abs=1e-12)
    best, noise = won.gains[won.best.arm.name].balanced, won.gains["smote, ratio 1"].balanced
    assert best.step("ranking").verdict == "gain"
    assert noise.step("ranking").verdict == "within noise"
    assert noise.is_mere_shift


def test_the_gains_frame_names_arm_group_and_part(won: TuningReport) -> None:
    frame = won.gains_frame()
    balanced = frame[frame["group"].isna() & (frame["arm"] == won.best.arm.name)].set_index("part")["nats"]
    assert balanced["shift"] + balanced["ranking"] + balanced.get("class_weights", 0.0) == pytest.approx(
        balanced["total"]
    )
    steps = [len(arm.balanced.steps) + 2 for arm in won.gains.values()]  # with the shift as a whole, and the total
    assert len(frame) == 5 * sum(steps)
    assert set(frame["verdict"]) <= {"gain", "loss", "mere shift", "within noise"}


def test_the_json_is_strict_and_holds_the_answer(won: TuningReport, tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    content = json.loads(won.to_json(target), parse_constant=pytest.fail)
    assert json.loads(target.read_text(encoding="utf-8")) == content
    assert content["best"]["reason"] == won.best.reason
    assert content["best"]["rebalance_arguments"]["strategy"] == pytest.approx(1 / 3)
    assert content["best"]["segments"] == [{"site": "a"}, {"site": "b"}]
    assert len(content["candidates"]) == len(won.lines)
    assert content["gains"][won.best.arm.name]["groups"][0]["group"] == {"ill": "no", "site": "a"}
    assert content["random_state"] == 5
    assert content["settings"]["learner"] == "ctgan"
    assert "autosynth" in content["versions"]


def test_a_notebook_shows_the_answer_and_no_replicates(won: TuningReport) -> None:
    assert repr(won).startswith("<TuningReport: 'smote, ratio 0.33")
    assert repr(won.best).startswith("<Choice: 'smote, ratio 0.33")
    assert len(repr(won)) + len(repr(won.best)) < 300


def test_a_race_that_nobody_finished_has_no_report() -> None:
    race = Race(200)
    lost = left_early(race.outcome(race.logit), race.folds, 0, "failed", "ValueError: no such column")
    with pytest.raises(AutosynthError, match="none: failed, ValueError: no such column"):
        TuningReport.of([lost], Judge.of(race.table, race.folds))


def test_groups_of_one_row_are_noted() -> None:
    race = Race(300, share=0.3)
    frame = race.table.frame.assign(site=["alone", *["common"] * 299])
    race.table = type(race.table).from_frame(frame, label="ill", group_by="site")
    with pytest.warns(UserWarning, match="one row only"):
        race.folds = type(race.folds).of(race.table)
    race.coded = type(race.coded).of(race.table)
    report = TuningReport.of(race.outcomes(1), Judge.of(race.table, race.folds, n_bootstrap=30))
    assert "Groups of one row train and never validate" in report.notes[0]
    assert "site=alone" in str(report)
    assert np.isfinite(report.to_frame()["score"]).all()


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_plot_is_written_and_the_same_each_time(won: TuningReport, tmp_path: Path, suffix: str) -> None:
    first, second = (won.plot(tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert first == second
    assert first.startswith(b"\x89PNG" if suffix == "png" else b"<?xml")


def test_the_plot_says_what_its_colours_mean_and_how_many_folds_were_run(won: TuningReport, tmp_path: Path) -> None:
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none"}):
        drawn = won.plot(tmp_path / "race.svg").read_text(encoding="utf-8")
    for said in ("chosen", "without synthetic rows", "with synthetic rows", "left early", "(2 of 5 folds)"):
        assert said in drawn


def test_a_plot_in_another_format_or_place_is_an_error(won: TuningReport, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends in none of .png, .svg"):
        won.plot(tmp_path / "plot.pdf")
    with pytest.raises(OutputError):
        won.plot(tmp_path / "missing" / "plot.png")


def test_far_candidates_do_not_flatten_the_picture() -> None:
    near = Interval(-0.1, -0.2, 0.0)
    assert window([near, Interval(9.0, 8.0, 10.0)], greater_is_better=False) == pytest.approx((-0.21, 0.63))
    assert window([near, Interval(0.05, 0.0, 0.1)], greater_is_better=False) == pytest.approx((-0.21, 0.105))
    assert window([Interval(0.1, 0.0, 0.2), Interval(-9.0)], greater_is_better=True) == pytest.approx((-0.63, 0.21))


def test_the_page_tells_the_answer_the_candidates_and_the_gain(won: TuningReport, declined: TuningReport) -> None:
    page = render(tuning_page(won))
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == [
        "What to do",
        "Candidates side by side",
        "Where the gain comes from",
        "What did not finish",
        "Notes, and how to repeat it",
    ]
    assert "synthetic rows help" in page
    assert "autosynth.rebalance(train, label=..., generator=" in page
    assert "The gain of every group" in page
    for line in won.lines:
        assert line.name in page
    refused = render(tuning_page(declined))
    assert "no synthetic rows" in refused
    assert 'class="verdict good"' not in refused
    assert "autosynth.rebalance(" not in refused


def test_the_page_says_may_where_the_limits_do_not_rule_out_chance() -> None:
    race = Race(600, seed=11)
    outcomes = [race.outcome(race.noisy(0.8)), race.balanced(race.noisy(0.4), smote())]
    page = render(tuning_page(TuningReport.of(outcomes, Judge.of(race.table, race.folds, n_bootstrap=60))))
    assert "Synthetic rows may help: smote" in page
    assert 'class="verdict good"' not in page


def test_the_page_escapes_what_comes_from_outside(tmp_path: Path) -> None:
    report = report_of(generator=SCRIPT, groups=(SCRIPT, "b"), n_arms=1)
    page = report.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert SCRIPT not in page
    assert "document.title" in page


@needs_browser
def test_the_page_opens_without_network_or_complaint(won: TuningReport, browser: Browser, tmp_path: Path) -> None:
    with browser.visit(won.to_html(tmp_path / "page.html"), width=390) as visit:
        assert visit.console == []
        assert visit.requests == []
        assert visit.width <= 390


def test_candidates_of_one_model_share_its_auc(declined: TuningReport) -> None:
    frame = declined.to_frame()
    plain = frame[frame["name"].isin(["none", "none, tuned threshold", "none, corrected prior"])]
    assert len(plain) == 3
    assert np.ptp(plain["roc_auc"]) < 1e-9
    assert isinstance(plain, pd.DataFrame)


def test_class_weights_lie_on_the_way_only_where_they_help() -> None:
    race = Race(3000, seed=1)
    arms = {
        name: race.balanced(race.noisy(noise), arm)
        for name, noise, arm in (("good", 0.1, CLASS_WEIGHTS), ("bad", 2.0, CLASS_WEIGHTS), ("rows", 0.1, smote()))
    }
    steps = {}
    for name in ("good", "bad"):
        outcomes = [race.outcome(race.logit + race.rng.normal(size=3000)), arms[name], arms["rows"]]
        report = TuningReport.of(outcomes, Judge.of(race.table, race.folds, n_bootstrap=60))
        steps[name] = [part.name for part in report.gains["smote, ratio 1"].balanced.steps]
    assert steps["good"] == ["baseline_shift", "class_weights", "ranking", "own_shift"]
    assert steps["bad"] == ["baseline_shift", "ranking", "own_shift"]
