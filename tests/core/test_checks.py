from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

import autosynth
from autosynth import CheckReport, CheckResult, Table
from autosynth.check_text import verdict_of
from autosynth.checks.batch import Batch
from autosynth.checks.families import FAMILIES
from autosynth.checks.family import Context
from autosynth.checks.fidelity import (
    column_distance,
    kolmogorov_smirnov_distance,
    total_variation_distance,
)
from autosynth.checks.noise import level_noise, level_of_each, number_noise
from autosynth.checks.reference import Reference
from autosynth.exceptions import CheckFailedError, ConfigError, DataError
from autosynth.schema import infer_column
from autosynth.toy import shortcut_table


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return shortcut_table(600, minority_share=0.3)


@pytest.fixture(scope="module")
def fresh() -> pd.DataFrame:
    return shortcut_table(600, minority_share=0.3, random_state=1)


def failed(report: CheckReport) -> set[str]:
    return {result.name for result in report.failures if result.severity == "critical" and not result.error}


def ask(family: str, real: pd.DataFrame, synthetic: pd.DataFrame, **asked: object) -> list[CheckResult]:
    """Return the results of one family, from the summary of the real rows alone."""
    reference = Reference.of(Table.from_frame(real, **{"label": "ill"} | asked))
    return FAMILIES[family].ask_all(Context(reference, Batch.read(synthetic, reference)))


def one(family: str, subject: str, real: pd.DataFrame, synthetic: pd.DataFrame, **asked: object) -> CheckResult:
    (found,) = (some for some in ask(family, real, synthetic, **asked) if some.subject == subject)
    return found


def test_fresh_real_rows_pass(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    report = autosynth.check(real, fresh, label="ill", group_by="hospital")
    assert report.passed, str(report)
    assert {result.name for result in report} >= {
        "schema",
        "categories",
        "whole_numbers",
        "limits",
        "missing_rate",
        "rounding",
        "marginal_fidelity",
        "farthest_column",
        "dependence",
        "farthest_pair",
        "exact_copies",
        "near_copies",
        "repeated_rows",
    }
    assert not report.errors


def test_another_mix_of_groups_is_no_fault(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    rare = fresh[fresh["ill"] == "yes"]
    assert autosynth.check(real, rare, label="ill").passed


STRUCTURAL = {"schema", "categories", "whole_numbers", "limits", "missing_rate"}


@pytest.mark.parametrize(
    ("column", "value", "names"),
    [
        ("severity", 0.123, {"farthest_column"}),
        ("ward", "lung", {"farthest_column"}),
        ("severity", 1e6, {"farthest_column", "limits"}),
        ("ward", "attic", {"categories"}),
        ("severity", np.inf, {"schema"}),
        ("age", None, {"missing_rate"}),
        ("age", 40.5, {"whole_numbers"}),
        ("hospital", "west", {"categories"}),
        ("ill", "perhaps", {"categories"}),
    ],
)
def test_spoiled_columns_fail_by_name(
    real: pd.DataFrame, fresh: pd.DataFrame, column: str, value: object, names: set[str]
) -> None:
    report = autosynth.check(real, fresh.assign(**{column: value}), label="ill", group_by="hospital")
    assert failed(report) >= names
    assert failed(report) & STRUCTURAL == names & STRUCTURAL
    assert column in report.describe_failures() or value in report.describe_failures()


def test_rows_of_a_group_that_the_real_table_lacks_are_counted(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    without = real[(real["ill"] == "no") | (real["hospital"] == "south")]
    report = autosynth.check(without, fresh, label="ill", group_by="hospital")
    n_foreign = int(((fresh["ill"] == "yes") & (fresh["hospital"] == "north")).sum())
    (found,) = (some for some in report if some.name == "categories" and some.subject == "groups")
    assert f"{n_foreign} of 600 rows" in found.message
    assert not found.passed


def test_no_rows_at_all_fail(real: pd.DataFrame) -> None:
    report = autosynth.check(real, real.head(0), label="ill")
    assert not report.passed
    assert "there are 0 rows to check" in str(report)


AS_GIVEN = {"schema", "categories", "refused_rows", "whole_numbers"}  # these look at rows as they came


def test_synthetic_rows_with_other_columns_fail_the_schema_and_nothing_else_can_be_judged(
    real: pd.DataFrame, fresh: pd.DataFrame
) -> None:
    report = autosynth.check(real, fresh.drop(columns="age").assign(extra=1), label="ill")
    found, *others = report
    assert (found.name, found.status, found.severity) == ("schema", "failed", "critical")
    assert "missing: age; unexpected: extra" in found.message
    assert {other.status for other in others} == {"error"}
    nested = autosynth.check(real, fresh.assign(ward=[["lung"]] * 600), label="ill")
    assert failed(nested) == {"schema"}
    assert "no plain values" in str(nested)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows.drop(columns="age"),
        lambda rows: rows.assign(ward="attic"),
        lambda rows: rows.assign(ill="perhaps"),
        lambda rows: rows.assign(age=np.nan),
        lambda rows: rows.assign(age=40.5),
        lambda rows: rows.head(0),
    ],
)
def test_no_family_is_silent_where_no_row_is_left_to_judge(
    real: pd.DataFrame, fresh: pd.DataFrame, spoil: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    given = {"label": "ill", "holdout": shortcut_table(200, random_state=2), "rules": ["age >= 0"]}
    report = autosynth.check(real, spoil(fresh), **given)  # type: ignore[arg-type]
    assert verdict_of(report) == "failed"
    errors = {result.name: result for result in report.errors}
    assert set(errors) == set(FAMILIES) - AS_GIVEN
    for name, result in errors.items():
        assert result.message.startswith("could not run: no synthetic row is left to judge: see schema"), name
        assert (result.subject, result.severity) == ("all rows", FAMILIES[name].severity)
    assert verdict_of(report.only_warn(failed(report))) == "error"
    assert verdict_of(autosynth.check(real, spoil(fresh), label="ill").only_warn(failed(report))) == "error"


def test_a_family_that_nobody_gave_a_question_has_no_error_either(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    report = autosynth.check(real, fresh.drop(columns="age"), label="ill")
    assert not {"rules", "held_out_exact_copies", "held_out_near_copies"} & {result.name for result in report}


@pytest.mark.parametrize("classes", [{"no": "no", "yes": "yes"}, {"no": 0, "yes": 1}, {"no": 0.0, "yes": 1.0}])
@pytest.mark.parametrize("n_unknown", [0, 1])
def test_not_one_row_may_have_an_unknown_label(
    real: pd.DataFrame, fresh: pd.DataFrame, classes: dict[str, object], n_unknown: int
) -> None:
    unknown = "perhaps" if classes["no"] == "no" else 2
    labels = fresh["ill"].map(classes).astype(object)
    labels.iloc[:n_unknown] = unknown
    made = fresh.assign(ill=labels if classes["no"] == "no" else labels.astype(float))
    found = one("categories", "ill", real.assign(ill=real["ill"].map(classes)), made)
    assert (found.passed, found.limit) == (not n_unknown, 0.0)
    assert f"{n_unknown} of 600 rows have a label that no real row has" in found.message


def test_a_quantity_as_label_may_take_other_values(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    found = ask("categories", real, fresh, label="severity", group_by="hospital")
    assert "severity" not in {result.subject for result in found}


def test_epochs_and_dates_of_unknown_order_break_the_schema(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(600) % 300, unit="D")
    dated, made = real.assign(day=days), fresh.assign(day=days)
    assert one("schema", "all rows", dated, made.assign(day=days.strftime("%Y-%m-%d"))).passed
    for spoiled, example in (
        (days.astype("int64"), "1704067200000000000"),
        (days.strftime("%d.%m.%Y"), "'01.01.2024'"),
    ):
        found = one("schema", "all rows", dated, made.assign(day=spoiled))
        assert f"600 of 600 rows hold cells of a wrong type: day: not a point in time (ISO 8601) (600 rows), such as " \
            f"{example}" in found.message  # fmt: skip


def test_what_is_no_table_is_an_error(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="the synthetic rows are a dict"):
        autosynth.check(real, fresh.to_dict(), label="ill")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="label='il' is not a column of the table"):
        autosynth.check(real, fresh, label="il")


def test_copies_of_training_rows_fail_the_report_unless_they_are_to_warn_only(real: pd.DataFrame) -> None:
    report = autosynth.check(real, real, label="ill")
    assert failed(report) == {"exact_copies"}
    assert not report.passed
    warned = report.only_warn(["exact_copies"])
    assert warned.passed
    assert [(result.name, result.severity) for result in warned.failures] == [("exact_copies", "warning")]
    with pytest.raises(ConfigError, match="Did you mean 'exact_copies'"):
        report.only_warn(["exact_copy"])
    repeated = autosynth.check(real, pd.concat([real] * 2), label="ill")
    assert {result.name for result in repeated.failures} == {"exact_copies", "repeated_rows"}


def test_copies_of_held_out_rows_fail_the_report(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    report = autosynth.check(real, fresh, label="ill", group_by="hospital", holdout=fresh)
    assert failed(report) == {"held_out_exact_copies"}
    assert autosynth.check(real, fresh, label="ill", holdout=shortcut_table(200, random_state=2)).passed


def test_the_smallest_floats_are_compared_like_whole_numbers() -> None:
    rng = np.random.default_rng(0)
    whole = pd.DataFrame({"x": rng.integers(-30, 30, 80) * 1.0, "z": rng.normal(size=80), "y": np.arange(80) % 2})
    tiny = whole.assign(x=whole["x"] * 5e-324)
    of_whole, of_tiny = (
        {result.name: result.observed for result in autosynth.check(some[:40], some[40:], label="y", holdout=some[60:])}
        for some in (whole, tiny)
    )
    assert of_tiny == pytest.approx(of_whole, nan_ok=True)
    assert of_tiny["held_out_exact_copies"] == 0.5


def test_small_groups_do_not_fail_for_being_small() -> None:
    real = shortcut_table(2000, minority_share=0.3)
    reference = Reference.of(Table.from_frame(real, label="ill", group_by="hospital"))
    for seed in range(20):
        rows = shortcut_table(2000, minority_share=0.3, random_state=100 + seed)
        few = rows.groupby(["ill", "hospital"]).head(3)
        results = FAMILIES["marginal_fidelity"].ask_all(Context(reference, Batch.read(few, reference)))
        assert all(result.passed for result in results)


def test_rows_too_few_to_show_anything_are_skipped_and_say_so(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    few = real.groupby("ill").head(4).reset_index(drop=True)
    for found in ask("marginal_fidelity", few, fresh):
        assert (found.status, found.passed) == ("skipped", True)
        assert found.message.startswith("4 real rows, ")
        assert found.message.endswith("so few rows can show no difference")
    for found in ask("marginal_fidelity", real, fresh.groupby("ill").head(2)):
        assert "so few rows can show" in found.message


def test_a_range_of_one_value_leaves_hardly_any_room(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    constant = real.assign(unit=1.0)
    for n_other, passes in ((0, True), (60, False)):
        found = one("limits", "unit", constant, fresh.assign(unit=np.where(np.arange(600) < n_other, 2.0, 1.0)))
        assert found.passed is passes


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_values_outside_the_range_are_counted(real: pd.DataFrame, fresh: pd.DataFrame, share: float) -> None:
    outside = fresh["severity"].where(np.arange(600) >= 600 * share, fresh["severity"] + 1e3)
    found = one("limits", "severity", real, fresh.assign(severity=outside))
    assert not found.passed
    assert found.observed == pytest.approx(share, abs=0.02)


def test_a_limit_expects_what_the_groups_of_the_batch_reach() -> None:
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"x": np.r_[rng.uniform(0, 1, 990), rng.uniform(5, 9, 10)], "ill": np.arange(1000) >= 990})
    common, rare = real.query("not ill").assign(x=lambda some: some["x"] * 0.5), real.query("ill")
    (of_common,) = ask("limits", real, common.reset_index(drop=True))
    (of_rare,) = ask("limits", real, pd.concat([rare] * 99, ignore_index=True))
    assert of_common.limit < 0.1 < of_rare.limit


def test_numbers_written_as_text_break_the_schema(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    report = autosynth.check(real, fresh.assign(age=fresh["age"].astype(str)), label="ill")
    assert failed(report) == {"schema"}
    assert "age: numbers written as text (600 rows), such as '" in str(report)
    assert "The real column was read as numbers, the synthetic one holds text" in str(report)


def test_a_hostile_example_is_escaped(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    found = one("schema", "all rows", real, fresh.assign(age="\x1b[2J" + "x" * 500))
    assert "such as '\\x1b[2Jxxx" in found.message
    assert len(found.message) < 300


def test_columns_without_any_real_value_stay_empty(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    empty = real.assign(note=np.nan)
    assert one("schema", "all rows", empty, fresh.assign(note=np.nan)).passed
    assert (
        "note: values where the real rows hold none" in one("schema", "all rows", empty, fresh.assign(note=1.0)).message
    )


def test_values_that_few_real_rows_would_bring_are_let_pass() -> None:
    rng = np.random.default_rng(0)
    names = [f"name {number}" for number in range(250)]
    rows = pd.DataFrame({"name": rng.choice(names, 1200), "z": rng.normal(size=1200), "ill": np.arange(1200) % 3 == 0})
    real, fresh = rows[:600], rows[600:].reset_index(drop=True)
    found = one("categories", "name", real, fresh)
    assert found.passed
    assert found.observed > 0.05
    assert not one("categories", "name", real, fresh.assign(name="nobody")).passed


def long_tail(n_rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    shops = [f"shop {number}" for number in rng.zipf(1.5, n_rows)]
    return pd.DataFrame({"shop": shops, "x": rng.normal(size=n_rows), "ill": rng.random(n_rows) < 0.3})


def test_a_group_column_with_a_long_tail_lets_pass_as_many_unseen_values_as_fresh_rows_bring() -> None:
    for seed in range(10):
        real, fresh = long_tail(400, 2 * seed), long_tail(400, 2 * seed + 1)
        found = ask("categories", real, fresh, group_by="shop")
        assert all(some.passed for some in found), [some.message for some in found]
    strange = fresh.assign(shop=np.where(np.arange(400) < 200, "nowhere", fresh["shop"]))
    failures = {some.subject for some in ask("categories", real, strange, group_by="shop") if not some.passed}
    assert failures == {"shop"}


def test_a_lone_row_with_a_value_that_no_real_row_holds_fails(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    lone = fresh.head(1)
    assert one("categories", "ward", real, lone).status == "skipped"
    found = one("categories", "ward", real, lone.assign(ward="attic"))
    assert (found.status, found.limit) == ("failed", 0.0)


def test_unseen_values_are_named_the_most_frequent_first(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    wards = np.where(np.arange(600) % 3 == 0, "attic", np.where(np.arange(600) % 3 == 1, "cellar", fresh["ward"]))
    wards[:30] = "attic"
    found = one("categories", "ward", real, fresh.assign(ward=wards))
    assert [offender.name for offender in found.offenders] == ["attic", "cellar"]
    assert found.offenders[0].observed == pytest.approx(220 / 600)
    assert "such as 'attic'" in found.message


def test_a_group_without_synthetic_rows_is_skipped(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    reference = Reference.of(Table.from_frame(real, label="ill"))
    context = Context(reference, Batch.read(fresh[fresh["ill"] == "no"], reference))
    code = [str(group) for group in reference.groups].index("ill=yes")
    for family in ("marginal_fidelity", "dependence"):
        assert {found.status for found in FAMILIES[family].ask(context, code)} == {"skipped"}
        assert {found.subject for found in FAMILIES[family].ask_all(context)} == {"ill=no"}


def mostly_missing(n_rows: int, seed: int, shift: float = 0.0, rate: float = 0.95) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rare = np.where(rng.random(n_rows) < rate, np.nan, rng.normal(size=n_rows) + shift)
    return pd.DataFrame({"full": rng.normal(size=n_rows), "rare": rare, "ill": rng.integers(0, 2, n_rows)})


@pytest.mark.parametrize("rate", [0.8, 0.95, 0.99])
def test_a_mostly_missing_column_of_honest_rows_passes(rate: float) -> None:
    for seed in range(20):
        real, fresh = (mostly_missing(400, 2 * seed + place, rate=rate) for place in range(2))
        assert all(found.passed for found in ask("marginal_fidelity", real, fresh))


def test_a_mostly_missing_column_is_judged_by_its_values_and_by_how_many_there_are() -> None:
    real = mostly_missing(4000, 0)
    shifted = [found for found in ask("marginal_fidelity", real, mostly_missing(4000, 1, shift=2)) if not found.passed]
    assert {(found.name, found.offenders[0].name) for found in shifted} >= {("farthest_column", "rare")}
    present = [found for found in ask("marginal_fidelity", real, mostly_missing(4000, 1, rate=0.5)) if not found.passed]
    assert ("farthest_column", "rare (missing)") in {(found.name, found.offenders[0].name) for found in present}


def test_a_mostly_missing_column_hides_no_shift_of_full_ones() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(1600, 6)), columns=list("abcdef")).assign(ill=np.arange(1600) % 2 == 0)
    rows[["e", "f"]] = rows[["e", "f"]].mask(rng.random((1600, 2)) < 0.98)
    real, fresh = rows[:800], rows[800:].reset_index(drop=True)
    shifted = fresh.assign(**{name: fresh[name] + 0.35 for name in "abcd"})
    assert all(found.passed for found in ask("marginal_fidelity", real, fresh))
    assert [found.passed for found in ask("marginal_fidelity", real, shifted) if found.name == "marginal_fidelity"] == [
        False,
        False,
    ]


def test_many_honest_rows_against_few_real_ones_with_rare_categories_pass() -> None:
    def rows(n_rows: int, seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        names = [f"name {number}" for number in rng.zipf(1.3, n_rows).clip(max=3000)]
        return pd.DataFrame({"name": names, "ill": rng.random(n_rows) < 0.3})

    for seed in range(25):
        found = ask("marginal_fidelity", rows(300, 2 * seed), rows(3000, 2 * seed + 1))
        assert all(some.passed for some in found), [some.message for some in found]
    real, fresh = rows(300, 0), rows(3000, 1)
    collapsed = fresh.assign(name=np.where(np.arange(3000) % 2, "name 1", fresh["name"]))
    assert not all(some.passed for some in ask("marginal_fidelity", real, collapsed))


def test_many_categories_do_not_hide_a_shift_of_few_numbers() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({f"c{place}": rng.choice(list("abc"), 1600) for place in range(15)})
    rows = rows.assign(**{f"x{place}": rng.normal(size=1600) for place in range(4)}, ill=np.arange(1600) % 2 == 0)
    real, fresh = rows[:800], rows[800:].reset_index(drop=True)
    shifted = fresh.assign(**{f"x{place}": fresh[f"x{place}"] + 0.3 for place in range(4)})
    for found in ask("marginal_fidelity", real, shifted):
        assert found.passed is (found.name != "marginal_fidelity")
    assert all(found.passed for found in ask("marginal_fidelity", real, fresh))


@pytest.mark.parametrize(("share", "passes"), [(0.05, True), (0.25, False), (0.0, True)])
def test_missing_rates_are_compared_both_ways(
    real: pd.DataFrame, fresh: pd.DataFrame, share: float, passes: bool
) -> None:
    rng = np.random.default_rng(0)
    pressure = fresh["pressure"].fillna(80.0).mask(rng.random(600) < share)
    assert one("missing_rate", "pressure", real, fresh.assign(pressure=pressure)).passed is passes
    often = real.assign(pressure=real["pressure"].mask(rng.random(600) < 0.5))
    assert not one("missing_rate", "pressure", often, fresh.assign(pressure=pressure)).passed


def test_missing_rates_follow_the_mix_of_groups() -> None:
    rng = np.random.default_rng(0)
    ill = rng.random(2000) < 0.1
    real = pd.DataFrame({"x": np.where(ill & (rng.random(2000) < 0.8), np.nan, rng.normal(size=2000)), "ill": ill})
    balanced = pd.concat([real[ill].sample(900, replace=True, random_state=0), real[~ill].head(900)], ignore_index=True)
    assert one("missing_rate", "x", real, balanced).passed
    assert not one("missing_rate", "x", real, balanced.assign(x=balanced["x"].fillna(0.0))).passed


@pytest.mark.parametrize(
    ("coarsen", "passes"),
    [(lambda x: x, True), (lambda x: x.round(1), False), (lambda x: x + 1e-7, False), (lambda x: x.round(-1), False)],
)
def test_coarser_and_finer_numbers_are_found(coarsen: object, passes: bool) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"price": rng.lognormal(4, 1, 1600).round(2), "ill": np.arange(1600) % 4 == 0})
    real, fresh = rows[:800], rows[800:].reset_index(drop=True)
    found = one("rounding", "price", real, fresh.assign(price=coarsen(fresh["price"])))  # type: ignore[operator]
    assert found.passed is passes, found.message


def test_finer_numbers_are_said_in_steps() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"price": rng.choice([9.99, 19.5, 29.0], 1600), "ill": np.arange(1600) % 4 == 0})
    real, fresh = rows[:800], rows[800:].reset_index(drop=True)
    noisy = fresh.assign(price=fresh["price"] + rng.normal(size=800) * 1e-6)
    found = one("rounding", "price", real, noisy)
    assert not found.passed
    assert found.message.startswith("100.0% of the values are finer than steps of 0.01, of the real ones 0.0%")
    assert [offender.name for offender in found.offenders] == ["finer than steps of 0.01"]
    assert one("rounding", "price", real, fresh).passed


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_of_day_among_dates_are_found(zone: str | None) -> None:
    rng = np.random.default_rng(0)
    days = pd.Series(pd.Timestamp("2020-01-01", tz=zone) + pd.to_timedelta(rng.integers(0, 900, 800), unit="D"))
    rows = pd.DataFrame({"day": days, "ill": np.arange(800) % 4 == 0})
    real, fresh = rows[:400], rows[400:].reset_index(drop=True)
    assert one("rounding", "day", real, fresh).passed
    timed = fresh.assign(day=fresh["day"] + pd.to_timedelta(rng.integers(0, 86_400, 400), unit="s"))
    found = one("rounding", "day", real, timed)
    assert not found.passed
    assert "finer than steps of 1 day, of the real ones 0.0%" in found.message
    moments = real.assign(day=real["day"] + pd.to_timedelta(rng.integers(0, 86_400, 400), unit="s"))
    assert one("rounding", "day", moments, timed).passed


def test_whole_numbers_rounded_to_tens_are_found() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"age": rng.integers(18, 90, 800), "ill": np.arange(800) % 4 == 0})
    real, fresh = rows[:400], rows[400:].reset_index(drop=True)
    assert one("rounding", "age", real, fresh).passed
    assert "whole multiples of 10" in one("rounding", "age", real, fresh.assign(age=fresh["age"] // 10 * 10)).message


def test_zeros_say_nothing_about_rounding() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"gain": rng.normal(size=800), "ill": np.arange(800) % 4 == 0})
    real, fresh = rows[:400], rows[400:].reset_index(drop=True)
    assert one("rounding", "gain", real, fresh.assign(gain=fresh["gain"].where(np.arange(400) % 2 == 0, 0.0))).passed
    assert not ask("rounding", real, fresh.assign(gain=0.0))


def test_a_small_shift_of_all_columns_is_seen_by_the_mean_and_a_large_one_of_one_by_the_farthest() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(1600, 12)), columns=[f"x{place}" for place in range(12)])
    rows["ill"] = np.arange(1600) % 2 == 0
    real, fresh = rows[:800], rows[800:].reset_index(drop=True)
    numbers = [name for name in rows if name != "ill"]
    assert all(found.passed for found in ask("marginal_fidelity", real, fresh))
    shifted = fresh.assign(**{name: fresh[name] + 0.25 for name in numbers})
    of_shifted = {(found.name, found.passed) for found in ask("marginal_fidelity", real, shifted)}
    assert ("marginal_fidelity", False) in of_shifted
    assert ("marginal_fidelity", True) not in of_shifted
    apart = ask("marginal_fidelity", real, fresh.assign(x3=fresh["x3"] + 1))
    assert [found.offenders[0].name for found in apart if not found.passed] == ["x3", "x3"]
    assert {found.name for found in apart if not found.passed} == {"farthest_column"}


def test_repeated_rows_are_measured_against_the_real_ones(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    assert one("repeated_rows", "all rows", real, fresh).passed
    found = one("repeated_rows", "all rows", real, pd.concat([fresh, fresh.head(150)], ignore_index=True))
    assert (found.passed, found.severity) == (False, "warning")
    coarse = real[["smoker", "ill"]]
    assert one("repeated_rows", "all rows", coarse, pd.concat([coarse] * 3, ignore_index=True)).passed


def test_kolmogorov_smirnov_agrees_with_scipy() -> None:
    rng = np.random.default_rng(0)
    for size in (1, 7, 200):
        real, synthetic = rng.normal(size=size).round(1), rng.normal(0.3, size=50).round(1)
        expected = ks_2samp(real, synthetic).statistic
        assert kolmogorov_smirnov_distance(real, synthetic) == pytest.approx(expected)


def test_total_variation_counts_missing_as_a_category() -> None:
    assert total_variation_distance(pd.Series(["a", None]), pd.Series(["a", np.nan])) == 0
    assert total_variation_distance(pd.Series(["a", None]), pd.Series(["a", "a"])) == 0.5
    assert total_variation_distance(pd.Series(["a"]), pd.Series(["b"], dtype="string[pyarrow]")) == 1
    intervals = pd.Series(pd.cut([1, 9], [0, 5, 10]))
    assert total_variation_distance(intervals, intervals) == 0


def test_empty_columns_have_no_distance() -> None:
    with pytest.raises(DataError, match="cannot compare 0 real with 1 synthetic values"):
        kolmogorov_smirnov_distance(np.empty(0), np.ones(1))
    with pytest.raises(DataError, match="cannot compare 1 real with 0 synthetic values"):
        total_variation_distance(pd.Series(["a"]), pd.Series([], dtype=object))


def test_missing_numbers_count_by_the_gap_of_their_rates() -> None:
    real, synthetic = pd.Series([1.0, 2.0, None, None]), pd.Series([1.0, 2.0, 1.0, 2.0])
    assert column_distance(real, synthetic, infer_column(real)) == 0.5
    empty = pd.Series([np.nan, np.nan])
    assert column_distance(real, empty, infer_column(real)) == 0.5


def noise(n_real: int, n_synthetic: int, n_values: int, n_tests: int) -> float:
    """Return the distance that hardly any of ``n_tests`` exceeds: of numbers (two values), or of categories."""
    level = level_of_each(n_tests)
    made = number_noise(n_real, n_synthetic, level)
    return made.total if n_values == 2 else level_noise(n_real, n_synthetic, n_values, level).total


def test_noise_shrinks_with_the_rows_and_grows_with_the_tests() -> None:
    assert noise(100, 100, 2, 5) > noise(1000, 1000, 2, 5)
    assert noise(100, 100, 2, 50) > noise(100, 100, 2, 5)
    assert noise(100, 100, 9, 5) > noise(100, 100, 2, 5)


@pytest.mark.parametrize("n_values", [2, 8])
def test_noise_is_rarely_exceeded_by_samples_of_one_distribution(n_values: int) -> None:
    rng = np.random.default_rng(0)
    limit = noise(30, 60, n_values, n_tests=1)
    distances = []
    for _ in range(300):
        if n_values == 2:
            distances.append(kolmogorov_smirnov_distance(rng.normal(size=30), rng.normal(size=60)))
        else:
            distances.append(
                total_variation_distance(pd.Series(rng.integers(0, 8, 30)), pd.Series(rng.integers(0, 8, 60)))
            )
    assert np.mean(np.array(distances) > limit) <= 0.01


def result(name: str, **facts: object) -> CheckResult:
    return CheckResult(**{"name": name, "subject": "all rows", "passed": False, "observed": 1.0, "limit": 0.0} | facts)


def test_a_report_passes_unless_a_critical_check_failed() -> None:
    assert CheckReport((result("soft", severity="warning"), result("good", passed=True))).passed
    assert CheckReport().passed
    report = CheckReport((result("soft", severity="warning"), result("hard", message="too far")))
    assert [failure.name for failure in report.failures] == ["hard", "soft"]
    with pytest.raises(
        CheckFailedError, match=r"2 of 2 checks .* failed:\n  critical: hard of all rows: too far"
    ) as caught:
        report.raise_if_failed()
    assert caught.value.report is report


def test_a_check_that_could_not_run_is_null_in_json() -> None:
    report = CheckReport((result("hard", observed=float("nan")),))
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["passed"] is False
    assert plain["checks"][0]["observed"] is None
    assert report.to_frame()["name"].tolist() == ["hard"]


def test_a_good_report_says_so() -> None:
    assert str(CheckReport((result("good", passed=True),))) == "all 1 checks of the synthetic rows passed."


def test_more_decimals_pass_where_some_real_values_have_as_many() -> None:
    rng = np.random.default_rng(0)
    fine = rng.random(600).round(5)
    mixed = pd.DataFrame({"x": np.where(rng.random(600) < 0.2, fine, fine.round(4)), "y": rng.random(600) < 0.3})
    for decimals, passed in ((5, True), (7, False)):
        made = mixed.assign(x=rng.random(600).round(decimals))
        (result,) = [result for result in autosynth.check(mixed, made, label="y") if result.name == "rounding"]
        assert result.passed is passed
    written = mixed.assign(x=fine.astype(float) / 100)  # seven decimals are no step, but how a number was written
    report = autosynth.check(written, written.assign(x=rng.random(600) / 100), label="y")
    assert all(result.passed for result in report if result.name == "rounding")
