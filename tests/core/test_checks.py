from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

import autosynth
from autosynth import CheckReport, CheckResult, Table
from autosynth.checks.domain import check_limits
from autosynth.checks.fidelity import (
    check_fidelity,
    column_distance,
    kolmogorov_smirnov_distance,
    sampling_noise,
    total_variation_distance,
)
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
    return {result.name for result in report.failures if result.severity == "critical"}


def test_fresh_real_rows_pass(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    report = autosynth.check(real, fresh, label="ill", group_by="hospital")
    assert report.passed, str(report)
    assert {result.name for result in report} == {
        "schema",
        "limits",
        "marginal_fidelity",
        "farthest_column",
        "exact_copies",
        "near_copies",
        "repeated_rows",
    }


def test_another_mix_of_groups_is_no_fault(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    rare = fresh[fresh["ill"] == "yes"]
    assert autosynth.check(real, rare, label="ill").passed


@pytest.mark.parametrize(
    ("column", "value", "names"),
    [
        ("severity", 0.123, {"farthest_column"}),
        ("ward", "lung", {"farthest_column"}),
        ("severity", 1e6, {"farthest_column", "limits"}),
        ("ward", "attic", {"schema"}),
        ("severity", np.inf, {"schema"}),
        ("age", None, {"schema"}),
        ("hospital", "west", {"schema"}),
        ("ill", "perhaps", {"schema"}),
    ],
)
def test_spoiled_columns_fail_by_name(
    real: pd.DataFrame, fresh: pd.DataFrame, column: str, value: object, names: set[str]
) -> None:
    report = autosynth.check(real, fresh.assign(**{column: value}), label="ill", group_by="hospital")
    assert failed(report) == names
    assert column in report.describe_failures() or value in report.describe_failures()


def test_rows_of_a_group_that_the_real_table_lacks_are_counted(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    without = real[(real["ill"] == "no") | (real["hospital"] == "south")]
    report = autosynth.check(without, fresh, label="ill", group_by="hospital")
    n_foreign = int(((fresh["ill"] == "yes") & (fresh["hospital"] == "north")).sum())
    assert f"in no group of the real rows ({n_foreign} rows)" in str(report)


def test_no_rows_at_all_fail(real: pd.DataFrame) -> None:
    report = autosynth.check(real, real.head(0), label="ill")
    assert not report.passed
    assert "0 of 0 rows" in str(report)


def test_synthetic_rows_with_other_columns_are_refused(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"the synthetic rows are .* foreign \['extra'\], absent \['age'\]"):
        autosynth.check(real, fresh.drop(columns="age").assign(extra=1), label="ill")
    with pytest.raises(ConfigError, match="label='il' is not a column of the table"):
        autosynth.check(real, fresh, label="il")


def test_copies_of_training_rows_are_warned_of_and_fail_nothing(real: pd.DataFrame) -> None:
    report = autosynth.check(real, real, label="ill")
    assert report.passed
    assert [result.name for result in report.failures] == ["exact_copies"]
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
    assert of_tiny == of_whole
    assert of_tiny["held_out_exact_copies"] == 0.5


def test_small_groups_do_not_fail_for_being_small() -> None:
    real = shortcut_table(2000, minority_share=0.3)
    table = Table.from_frame(real, label="ill", group_by="hospital")
    for seed in range(20):
        rows = shortcut_table(2000, minority_share=0.3, random_state=100 + seed)
        few = rows.groupby(["ill", "hospital"]).head(3)
        results = check_fidelity(table, few, table.grouping.codes(few))
        assert all(result.passed for result in results)


def test_a_range_of_one_value_leaves_no_room(real: pd.DataFrame, fresh: pd.DataFrame) -> None:
    table = Table.from_frame(real.assign(unit=1.0), label="ill")
    results = check_limits(table, fresh.assign(unit=np.where(np.arange(600) == 0, 2.0, 1.0)))
    assert [result.subject for result in results if not result.passed] == ["unit"]


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


def test_noise_shrinks_with_the_rows_and_grows_with_the_tests() -> None:
    assert sampling_noise(100, 100, 2, 5) > sampling_noise(1000, 1000, 2, 5)
    assert sampling_noise(100, 100, 2, 50) > sampling_noise(100, 100, 2, 5)
    assert sampling_noise(100, 100, 9, 5) > sampling_noise(100, 100, 2, 5)


@pytest.mark.parametrize("n_values", [2, 8])
def test_noise_is_rarely_exceeded_by_samples_of_one_distribution(n_values: int) -> None:
    rng = np.random.default_rng(0)
    limit = sampling_noise(30, 60, n_values, n_tests=1)
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
