"""CTGAN, TVAE and Gaussian copula with the real libraries, a few epochs each."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autosynth import RowGenerator, Table
from autosynth.exceptions import ConfigError, InsufficientRowsError
from autosynth.plan import SamplingPlan
from autosynth.plugins import current_plugins
from autosynth.synthesis import SyntheticRows, fit_generator, sample_rows
from autosynth.testing import CONTRACT, Candidate, contract_table
from autosynth_sdv import CTGANOptions, GaussianCopulaGenerator, GaussianCopulaOptions, TVAEOptions
from autosynth_sdv.copula import Shares
from autosynth_sdv.neural import balanced_rows
from autosynth_sdv.rejection import draw_until_full

torch = pytest.importorskip("torch")
pytest.importorskip("ctgan")
pytest.importorskip("copulas")

# Networks as narrow as they may be: these tests are about rows and promises, not about fidelity.
QUICK: dict[str, dict[str, Any]] = {
    "ctgan": {"epochs": 2, "batch_size": 60, "generator_dim": [16], "discriminator_dim": [16], "embedding_dim": 8},
    "tvae": {"epochs": 15, "batch_size": 60, "compress_dims": [32], "decompress_dims": [32], "embedding_dim": 8},
    "gaussian_copula": {},
}
LONGER: dict[str, dict[str, Any]] = {
    "ctgan": {
        "epochs": 50,
        "pac": 1,
        "generator_dim": [64],
        "discriminator_dim": [64],
        "generator_lr": 2e-3,
        "discriminator_lr": 2e-3,
    },
    "tvae": {"epochs": 100, "compress_dims": [64], "decompress_dims": [64]},
    "gaussian_copula": {},
}
NAMES = list(QUICK)
NEURAL = ["ctgan", "tvae"]


def rare_cell_table(n_rows: int = 600, n_rare: int = 3) -> Table:
    """Four cells of label x group column, the rarest of 3 rows; ``score`` and ``colour`` tell the cells apart."""
    rng = np.random.default_rng(0)
    is_high, is_f = np.arange(n_rows) % 3 == 0, np.arange(n_rows) % 2 == 0
    is_f[np.flatnonzero(is_high & is_f)[n_rare:]] = False
    frame = pd.DataFrame(
        {
            "score": np.round(rng.normal(size=n_rows) + 20 * is_high + 60 * is_f, 2),
            "colour": np.where(rng.random(n_rows) < 0.9, np.where(is_f, "red", "blue"), "green"),
            "income": np.where(is_high, "high", "low"),
            "sex": np.where(is_f, "F", "M"),
        }
    )
    return Table.from_frame(frame, label="income", group_by="sex")


def fit(name: str, table: Table, **options: Any) -> RowGenerator:
    generator = current_plugins().build(name, {**QUICK[name], **options})
    return fit_generator(generator, table, name=name, rng=np.random.default_rng(1))


def rows_of(
    name: str, table: Table, fitted: RowGenerator | None = None, seed: int = 2, **options: Any
) -> SyntheticRows:
    fitted = fitted or fit(name, table, **options)
    counts = SamplingPlan.make(table).counts
    return sample_rows(fitted, table, counts, name=name, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("part", CONTRACT, ids=lambda part: part.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_contract(name: str, part: Any) -> None:
    part(Candidate(name, QUICK[name]))


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_of_three_rows_gets_exactly_what_the_plan_says_in_bounded_time(name: str) -> None:
    table = rare_cell_table()
    assert table.group_sizes.min() == 3
    started = time.perf_counter()
    rows = rows_of(name, table)
    assert time.perf_counter() - started < 20
    wanted = [row.n_synthetic for row in SamplingPlan.make(table).groups]
    assert np.bincount(rows.group_codes, minlength=4).tolist() == wanted
    assert np.array_equal(table.grouping.codes(rows.frame), rows.group_codes)
    assert rows.n_rounds == 1
    assert not rows.refusals


@pytest.mark.parametrize("name", NAMES)
def test_rows_look_like_the_group_they_are_said_to_be_of(name: str) -> None:
    table = rare_cell_table(n_rare=60)
    fitted = fit(name, table, **LONGER[name])
    counts = dict.fromkeys(table.groups, 200)
    rows = sample_rows(fitted, table, counts, name=name, rng=np.random.default_rng(2))
    real = table.frame["score"].groupby(table.group_codes).median()
    synthetic = rows.frame["score"].groupby(rows.group_codes).median()
    assert real.sort_values().index.tolist() == synthetic.sort_values().index.tolist()
    assert (real - synthetic).abs().max() < 10  # cells lie 20 apart


@pytest.mark.parametrize("name", NEURAL)
def test_the_cell_read_off_the_code_is_the_cell_that_the_network_decodes(name: str) -> None:
    fitted: Any = fit(name, rare_cell_table())
    with torch.random.fork_rng():
        encoded, cells = fitted.network_.draw(np.repeat(np.arange(4), 100))
        decoded = fitted.network_.decode(encoded)["cell"]
    hit = cells >= 0
    assert hit.sum() > 40
    assert np.array_equal(decoded[hit], cells[hit])


@pytest.mark.parametrize("name", NAMES)
def test_dtypes_missing_values_dates_and_decimals_are_kept(name: str) -> None:
    rng = np.random.default_rng(0)
    n = 300
    frame = pd.DataFrame(
        {
            "y": rng.choice(["no", "yes"], n, p=[0.8, 0.2]),
            "price": np.round(rng.gamma(2.0, 10.0, n), 2),
            "whole": rng.integers(-40, 40, n).astype("int16"),
            "maybe": pd.array(rng.integers(0, 50, n), dtype="Int64"),
            "arrow": pd.Series(rng.normal(size=n)).astype("double[pyarrow]"),
            "when": pd.Timestamp("2024-03-01", tz="Europe/Berlin")
            + pd.to_timedelta(rng.integers(0, 9000, n), unit="h"),
            "wait": pd.to_timedelta(rng.integers(0, 9000, n), unit="s"),
            "flag": pd.array(rng.random(n) < 0.3, dtype="boolean"),
            "size": pd.Categorical(rng.choice(["S", "M"], n), categories=["XS", "S", "M"], ordered=True),
            "town": pd.array(rng.choice(["Bonn", "Rome"], n), dtype="string[pyarrow]"),
            "empty": np.full(n, np.nan),
            "always": "same",
            7: rng.choice([0.5, 1.5], n),
        }
    )
    for holed in ("maybe", "arrow", "when", "flag", "size", "town"):
        frame.loc[rng.random(n) < 0.25, holed] = None
    before = frame.copy(deep=True)
    table = Table.from_frame(frame, label="y")
    fitted = fit(name, table)
    answer: Any = fitted.sample({table.groups[-1]: 150}, rng=np.random.default_rng(0))
    # What the generator itself gives has the dtypes already, before the core conforms it.
    assert answer.frame.dtypes.to_dict() == frame.dtypes.to_dict()
    rows = rows_of(name, table, fitted)
    assert not rows.refusals
    for column in table.schema.columns:
        values = rows.frame[column.name]
        assert values.isna().any() == column.allows_missing, column.name
        if column.resolution is not None and column.n_distinct:
            numbers = column.to_float(values.dropna())
            assert np.allclose(numbers / column.resolution, np.round(numbers / column.resolution)), column.name
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("name", NAMES)
def test_texts_and_categories_with_too_many_levels_come_from_real_rows_of_the_group(name: str) -> None:
    rng = np.random.default_rng(0)
    label = rng.choice(["no", "yes"], 200, p=[0.8, 0.2])
    frame = pd.DataFrame(
        {
            "y": label,
            "note": [f"{value} note {number}" for number, value in enumerate(label)],
            "code": [f"{value}-{number % 60}" for number, value in enumerate(label)],
            "number": rng.normal(size=200),
        }
    )
    table = Table.from_frame(frame, label="y")
    rows = rows_of(name, table, max_levels=20)
    assert rows.frame["note"].str.startswith("yes").all()
    real = frame.iloc[rows.parents[:, 0]].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows.frame[["y", "note", "code"]], real[["y", "note", "code"]])
    assert rows.notes["note, code: copied from a real row of the same group"] == len(rows.frame)


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_label_and_group_columns_alone_gives_rows(name: str) -> None:
    table = rare_cell_table()
    lean = Table.from_frame(table.frame[["income", "sex"]], label="income", group_by="sex")
    assert len(rows_of(name, lean).frame) == SamplingPlan.make(lean).n_synthetic


@pytest.mark.parametrize("name", NAMES)
def test_a_binned_group_column_stays_in_its_bin_without_refusals(name: str) -> None:
    rng = np.random.default_rng(0)
    age = rng.integers(18, 90, 400).astype(float)
    age[rng.random(400) < 0.1] = np.nan
    frame = pd.DataFrame(
        {"age": age, "dose": rng.normal(size=400), "ill": rng.choice(["no", "yes"], 400, p=[0.8, 0.2])}
    )
    frame["seen"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 999, 400), unit="D")
    bins: dict[str, Any] = {"age": [30.5, 65], "seen": 2}
    table = Table.from_frame(frame, label="ill", group_by=bins)
    answer: Any = fit(name, table).sample(SamplingPlan.make(table, augment=5).counts, rng=np.random.default_rng(0))
    codes = table.grouping.codes(answer.frame)
    wanted = [row.n_synthetic for row in SamplingPlan.make(table, augment=5).groups]
    assert np.bincount(codes, minlength=len(wanted)).tolist() == wanted
    assert answer.frame["age"].nunique() > 20


@pytest.mark.parametrize("name", NAMES)
def test_a_regression_label_is_generated_with_the_group_set(name: str) -> None:
    rng = np.random.default_rng(0)
    site = rng.choice(["a", "b"], 300, p=[0.9, 0.1])
    frame = pd.DataFrame({"site": site, "x": rng.normal(size=300), "cost": np.round(rng.gamma(2, 50, 300), 2)})
    table = Table.from_frame(frame, label="cost", group_by="site")
    rows = rows_of(name, table)
    assert set(rows.frame["site"]) == {"b"}
    assert rows.frame["cost"].nunique() > 20
    assert rows.frame["cost"].between(frame["cost"].min(), frame["cost"].max()).all()


@pytest.mark.parametrize("name", NAMES)
def test_global_streams_threads_and_outputs_stay_untouched(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    table = contract_table()
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 - to see that it stays
    torch.manual_seed(5)
    expected = random.random(), np.random.random(), torch.rand(3)  # noqa: NPY002, S311
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    rows_of(name, table)
    assert (random.random(), np.random.random()) == expected[:2]  # noqa: NPY002, S311
    assert torch.equal(torch.rand(3), expected[2])
    assert torch.get_num_threads() == 2
    torch.set_num_threads(n_threads)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize("name", NAMES)
def test_the_same_fitted_object_gives_the_same_rows_for_the_same_seed_and_after_pickling(name: str) -> None:
    table = contract_table()
    fitted = fit(name, table)
    first = rows_of(name, table, fitted).frame
    pd.testing.assert_frame_equal(first, rows_of(name, table, fitted).frame)
    travelled = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(first, rows_of(name, table, travelled).frame)
    assert not first.equals(rows_of(name, table, fitted, seed=3).frame)


@pytest.mark.parametrize("name", NAMES)
def test_the_table_is_not_kept(name: str) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(20_000, 12))).rename(columns=str)
    frame["y"] = rng.choice(["no", "yes"], 20_000, p=[0.9, 0.1])
    table = Table.from_frame(frame, label="y")
    options = {"max_train_rows": 500, "epochs": 1} if name in NEURAL else {"max_group_rows": 500}
    assert len(pickle.dumps(fit(name, table, **options))) < 500_000 < len(pickle.dumps(frame))


def test_one_pool_of_tvae_rows_serves_all_cells_and_rejections_are_counted() -> None:
    table = rare_cell_table()
    rows = rows_of("tvae", table)
    assert rows.notes["rows drawn and rejected, not being of a group that wanted some"] > 0


@pytest.mark.parametrize("name", NEURAL)
def test_the_budget_of_rejection_bounds_the_draws_and_the_shortfall_is_reported(name: str) -> None:
    table = rare_cell_table()
    fitted: Any = fit(name, table, max_draws=50)
    answer = fitted.sample({table.groups[-1]: 400}, rng=np.random.default_rng(0))
    n_given_up = answer.notes["rows given up when the budget of rejection was used up"]
    n_rejected = answer.notes.get("rows drawn and rejected, not being of a group that wanted some", 0)
    assert len(answer.frame) + n_given_up == 400
    assert len(answer.frame) + n_rejected == 50
    with pytest.raises(InsufficientRowsError) as caught:
        sample_rows(fitted, table, {table.groups[-1]: 5_000}, name=name, rng=np.random.default_rng(0))
    assert 0 < caught.value.produced[table.groups[-1]] <= 500  # 10 rounds of 50 draws


def test_rejection_gives_up_on_a_cell_that_never_comes() -> None:
    asked: list[int] = []

    def draw(cells: Any) -> Any:
        asked.append(len(cells))
        return np.zeros((len(cells), 1), dtype=np.float32), np.zeros(len(cells), dtype=np.int64)

    rows = draw_until_full(draw, np.array([10, 10]), max_draws=100_000, max_rounds=4)
    assert rows.cells.tolist() == [0] * 10
    assert rows.n_missing == 10
    assert len(asked) == 4
    assert asked == sorted(asked)  # it tries harder each time
    assert sum(asked) <= 100_000


def test_the_time_limit_ends_training_after_the_epoch_in_which_it_has_passed() -> None:
    table = rare_cell_table()
    for name in NEURAL:
        started = time.perf_counter()
        fitted: Any = fit(name, table, epochs=1_000_000, time_limit_s=0.5)
        assert time.perf_counter() - started < 15
        assert fitted.network_.n_epochs >= 1
        assert len(rows_of(name, table, fitted).frame) == SamplingPlan.make(table).n_synthetic


def test_small_groups_borrow_and_are_counted() -> None:
    table = rare_cell_table()
    rows = rows_of("gaussian_copula", table)
    rare = rows.group_codes == 3
    assert rows.notes["rows of groups below 30 real rows, which borrow from others"] == rare.sum()
    own = table.frame["score"][table.group_codes == 3]
    share_near = (rows.frame["score"][rare] > own.min() - 5).mean()
    assert 0.25 < share_near < 0.75  # its own rows weigh half


def test_a_copula_keeps_shares_and_correlations_within_the_group() -> None:
    rng = np.random.default_rng(0)
    n = 2_000
    is_rare = rng.random(n) < 0.2
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x,
            "z": np.where(is_rare, -x, x) + 0.3 * rng.normal(size=n),  # the sign belongs to the group
            "spike": np.where(rng.random(n) < np.where(is_rare, 0.3, 0.8), 0, rng.integers(1, 40, n)),
            "y": np.where(is_rare, "rare", "common"),
        }
    )
    table = Table.from_frame(frame, label="y")
    rows = rows_of("gaussian_copula", table).frame
    real = frame[is_rare]
    assert rows["x"].corr(rows["z"]) == pytest.approx(real["x"].corr(real["z"]), abs=0.1)
    assert (rows["spike"] == 0).mean() == pytest.approx((real["spike"] == 0).mean(), abs=0.05)


@pytest.mark.parametrize("name", NEURAL)
def test_a_spike_comes_back_exactly(name: str) -> None:
    rng = np.random.default_rng(0)
    amount = np.where(rng.random(400) < 0.7, 0.0, rng.gamma(2.0, 50.0, 400))
    frame = pd.DataFrame({"amount": amount, "y": rng.choice(["no", "yes"], 400, p=[0.8, 0.2])})
    rows = rows_of(name, Table.from_frame(frame, label="y"))
    assert 0.2 < (rows.frame["amount"] == 0).mean() < 0.95


def test_shares_are_read_back_as_they_were_coded() -> None:
    values = np.array([3, 0, 0, 0, 9, 3, 3, 3])
    shares = Shares.of(values)
    assert np.array_equal(shares.to_values(shares.to_uniform(values, np.random.default_rng(0))), values)
    assert shares.to_values(np.array([0.0, 1.0])).tolist() == [0, 9]


def test_training_rows_hold_equal_shares_and_every_row_of_small_groups() -> None:
    groups = np.repeat([0, 1, 2], [90, 8, 1])
    rows = balanced_rows(groups, 99, np.random.default_rng(0))
    assert np.bincount(groups[rows]).tolist() == [33, 33, 33]
    assert set(rows) >= set(range(90, 99))


@pytest.mark.parametrize(
    ("options", "values", "match"),
    [
        (CTGANOptions, {"epochs": 0}, "epochs=0 is out of range"),
        (CTGANOptions, {"batch_size": 64}, "even multiple of pac=10; try 60"),
        (CTGANOptions, {"generator_dim": ()}, "layer widths"),
        (CTGANOptions, {"generator_lr": -1.0}, "generator_lr"),
        (TVAEOptions, {"decompress_dims": (8, 0)}, "decompress_dims"),
        (TVAEOptions, {"time_limit_s": 0}, "time_limit_s"),
        (TVAEOptions, {"max_draws": True}, "max_draws"),
        (TVAEOptions, {"enable_gpu": "yes"}, "enable_gpu"),
        (GaussianCopulaOptions, {"distribution": "gausian_kde"}, "Did you mean 'gaussian_kde'"),
        (GaussianCopulaOptions, {"shrinkage": float("nan")}, "shrinkage"),
    ],
)
def test_wrong_options_are_refused_by_name(options: type[Any], values: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        options(**values)


@pytest.mark.parametrize("distribution", ["norm", "gamma", "uniform", "truncnorm", "gaussian_kde"])
def test_every_marginal_distribution_gives_valid_rows(distribution: str) -> None:
    table = contract_table(120)
    rows = rows_of("gaussian_copula", table, distribution=distribution)
    assert len(rows.frame) == SamplingPlan.make(table).n_synthetic


def test_importing_the_plugin_loads_no_heavy_package() -> None:
    code = (
        "import sys, autosynth_sdv; heavy = {'torch', 'ctgan', 'copulas', 'rdt', 'sdv'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_default_generator_needs_no_options() -> None:
    assert GaussianCopulaGenerator().options == GaussianCopulaOptions()
