"""The tree generator: dependence is learned, rare groups borrow, training is bounded, and cores change nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autosynth import Table
from autosynth.exceptions import ConfigError
from autosynth.plan import SamplingPlan
from autosynth.testing import CONTRACT, Candidate, contract_table
from autosynth_tree import TreeGenerator, TreeOptions
from autosynth_tree.column_model import ColumnModel, inverse_cdf
from autosynth_tree.masking import TokenRows, context_of
from autosynth_tree.row_model import MIN_SHOWN, RowModel, rows_within_budget
from autosynth_tree.shares import group_shares

pytest.importorskip("xgboost")

TINY = {"n_rounds": 3, "n_copies": 3, "max_bins": 8}


def label_table(frame: pd.DataFrame, **arguments: Any) -> Table:
    return Table.from_frame(frame, label="y", **arguments)


def fitted(table: Table, **options: Any) -> TreeGenerator:
    return TreeGenerator(TreeOptions(**options)).fit(table, rng=np.random.default_rng(0))


def rows_of(table: Table, group: int = -1, n_rows: int = 500, **options: Any) -> pd.DataFrame:
    """Rows of one group, the smallest by default."""
    counts = {table.groups[group]: n_rows}
    return fitted(table, **options).sample(counts, rng=np.random.default_rng(1)).frame


def spirals(n_rows: int = 900, n_rare: int = 150) -> pd.DataFrame:
    """Two columns with no correlation worth the name and a strong dependence, and a category that follows from one."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, n_rows)
    return pd.DataFrame(
        {
            "x": x,
            "square": x**2 + 0.1 * rng.normal(size=n_rows),
            "side": np.where(x < 0, "left", "right"),
            "other": rng.normal(size=n_rows),
            "y": np.where(np.arange(n_rows) < n_rare, "rare", "common"),
        }
    )


def misfit(rows: pd.DataFrame) -> float:
    """Mean distance of ``square`` from what ``x`` says: 0.08 in real rows."""
    return float((rows["square"] - rows["x"] ** 2).abs().mean())


def wrong_side(rows: pd.DataFrame) -> float:
    """Share of rows whose side contradicts ``x``: 0 in real rows."""
    return float(((rows["x"] < 0) != (rows["side"] == "left")).mean())


@pytest.mark.parametrize("part", CONTRACT, ids=lambda part: part.__name__)
def test_it_keeps_the_contract(part: Any) -> None:
    part(Candidate(lambda table: TreeGenerator(TreeOptions(**TINY))))


# --- what is learned


def test_dependence_between_columns_is_far_closer_to_real_than_with_independent_columns() -> None:
    frame = spirals()
    table = label_table(frame)
    rows = rows_of(table)
    rng = np.random.default_rng(0)
    independent = pd.DataFrame({name: rng.permutation(frame[name].iloc[:150]) for name in frame})
    assert misfit(independent) > 1.0
    assert misfit(rows) < 0.45 * misfit(independent)
    assert wrong_side(independent) > 0.4
    assert wrong_side(rows) < 0.1


def test_columns_that_depend_on_nothing_keep_the_shares_of_the_group() -> None:
    rng = np.random.default_rng(0)
    rare = np.arange(2000) < 400
    colour = np.where(rng.random(2000) < np.where(rare, 0.7, 0.2), "red", "blue")
    table = label_table(pd.DataFrame({"colour": colour, "y": np.where(rare, "rare", "common")}))
    real = (colour[:400] == "red").mean()
    assert rows_of(table, n_rows=2000)["colour"].eq("red").mean() == pytest.approx(real, abs=0.03)


def test_a_tiny_group_borrows_the_dependence_of_the_others() -> None:
    table = label_table(spirals(n_rare=4))
    assert wrong_side(rows_of(table)) < 0.1


@pytest.mark.parametrize(("only", "at_least"), [("high", 0.8), ("none", 0.35)])
def test_a_cell_with_one_row_borrows_from_groups_that_share_its_label(only: str, at_least: float) -> None:
    rng = np.random.default_rng(0)
    sick = rng.random(1500) < 0.3
    frame = pd.DataFrame(
        {
            "fever": np.where(rng.random(1500) < np.where(sick, 0.95, 0.05), "high", "none"),
            "ward": rng.choice(["a", "b", "c"], 1500),
            "y": np.where(sick, "sick", "well"),
        }
    )
    cell = frame.index[(frame["y"] == "sick") & (frame["ward"] == "c")]
    frame.loc[cell[0], "fever"] = only
    table = label_table(frame.drop(index=cell[1:]), group_by="ward")
    assert table.group_sizes[-1] == 1
    assert rows_of(table)["fever"].eq("high").mean() > at_least  # 0.95 in sick rows of other wards, 0.3 in the table


def test_strong_penalties_lead_to_the_shares_of_the_group() -> None:
    table = label_table(spirals())
    model = fitted(table, reg_lambda=1e9).model_.columns[2]
    tokens = np.array([[-0.0, 0.0, np.nan, 0.0]], dtype=np.float32).repeat(2, axis=0)
    groups = np.array([0, 1])
    given = model.probabilities(context_of(table.grouping.axis_codes[groups], tokens, 2), groups)
    assert np.allclose(given, np.exp(model.log_shares), atol=1e-4)


def test_missing_values_depend_on_other_columns_too() -> None:
    frame = spirals()
    frame["other"] = frame["other"].mask(frame["side"] == "left")
    rows = rows_of(label_table(frame))
    agrees = rows["other"].isna() == (rows["side"] == "left")
    assert agrees.mean() > 0.9


# --- any group, any table


def test_exactly_the_rows_asked_for_come_group_by_group() -> None:
    table = contract_table()
    counts = {group: 3 + place for place, group in enumerate(table.groups)}
    rows = fitted(table, **TINY).sample(counts, rng=np.random.default_rng(0)).frame
    assert np.bincount(table.grouping.codes(rows)).tolist() == list(counts.values())


def test_no_rows_asked_for_gives_none() -> None:
    table = contract_table()
    rows = fitted(table, **TINY).sample({}, rng=np.random.default_rng(0)).frame
    assert rows.shape == (0, table.frame.shape[1])


def test_tables_without_a_column_to_learn_give_donors_or_constants() -> None:
    label = ["rare"] * 20 + ["common"] * 180
    texts = label_table(pd.DataFrame({"note": [f"note {number}" for number in range(200)], "y": label}))
    assert set(rows_of(texts, n_rows=30)["note"]) <= set(texts.frame["note"].iloc[:20])
    constant = label_table(pd.DataFrame({"one": 1, "empty": np.nan, "y": label}))
    rows = rows_of(constant, n_rows=30)
    assert rows["one"].eq(1).all()
    assert rows["empty"].isna().all()


def test_wide_tables_and_many_levels_work() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(0, 3, (60, 200)), columns=[f"x{place}" for place in range(200)])
    frame["city"] = rng.choice([f"city {number}" for number in range(5000)], 60)
    frame["y"] = np.where(np.arange(60) < 10, "rare", "common")
    rows = rows_of(label_table(frame), n_rows=20, n_rounds=1, n_copies=1)
    assert rows.shape == (20, 202)


# --- training


def test_the_group_is_always_visible_and_any_part_of_the_other_cells_may_be() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], [90, 10])
    rows = TokenRows(rng.integers(0, 4, (100, 6)), groups, np.array([[0, 5], [1, 6]]))
    positions, context = rows.shown(2, 2000, rng)
    assert context.shape == (2000, 2 + 5)
    assert np.array_equal(context[:, :2], rows.axes[groups[positions]])
    others = np.delete(rows.tokens[positions], 2, axis=1)
    hidden = np.isnan(context[:, 2:])
    assert np.array_equal(context[:, 2:][~hidden], others[~hidden])
    n_hidden = np.bincount(hidden.sum(axis=1), minlength=6) / 2000
    assert n_hidden == pytest.approx(np.full(6, 1 / 6), abs=0.04)


def test_rows_are_shown_in_proportion_to_the_inverse_root_of_their_group() -> None:
    groups = np.repeat([0, 1], [400, 100])
    rows = TokenRows(np.zeros((500, 2), dtype=np.int64), groups, np.array([[0], [1]]))
    positions, _ = rows.shown(0, 6000, np.random.default_rng(0))
    per_group = np.bincount(groups[positions])
    assert per_group[0] / per_group[1] == pytest.approx(2.0, rel=0.01)  # 400 / 20 against 100 / 10
    assert np.ptp(np.bincount(positions)[:400]) <= 1


def test_training_is_bounded_by_the_work_allowed() -> None:
    tokens = np.random.default_rng(0).integers(0, 10, (50_000, 20))
    options = TreeOptions(max_work=1e8)
    shown = rows_within_budget(tokens, 1, options)
    assert shown * 20 * 20 * 10 * options.n_rounds <= 1e8
    assert rows_within_budget(tokens[:30], 1, options) <= 30 * options.n_copies
    wide = np.random.default_rng(0).integers(0, 10, (5_000, 400))
    assert rows_within_budget(wide, 1, options) == MIN_SHOWN


def test_small_groups_lean_on_the_table_and_no_share_is_zero() -> None:
    classes = np.array([0] * 100 + [1])
    groups = np.array([0] * 100 + [1])
    shares = group_shares(classes, groups, np.array([[0], [1]]))
    assert shares.sum(axis=1) == pytest.approx([1, 1])
    assert 0.95 < shares[0, 0] < 1
    assert 0.1 < shares[1, 1] < 0.4


def test_large_groups_have_the_shares_of_their_rows_whatever_the_axes() -> None:
    rng = np.random.default_rng(0)
    axes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    groups = rng.integers(0, 4, 40_000)
    classes = (rng.random(40_000) < np.array([0.1, 0.9, 0.9, 0.1])[groups]).astype(np.int64)
    assert group_shares(classes, groups, axes)[:, 1] == pytest.approx([0.1, 0.9, 0.9, 0.1], abs=0.02)


def test_rows_do_not_depend_on_the_number_of_threads() -> None:
    table = contract_table()
    counts = SamplingPlan.make(table).counts
    one, three = (
        fitted(table, **TINY, n_threads=n_threads).sample(counts, rng=np.random.default_rng(1)).frame
        for n_threads in (1, 3)
    )
    pd.testing.assert_frame_equal(one, three)


# --- drawing


def test_inverse_cdf_follows_the_probabilities_and_never_draws_what_has_none() -> None:
    probabilities = np.array([[0.0, 0.25, 0.75, 0.0]])
    uniforms = (np.arange(1000) + 0.5) / 1000
    drawn = inverse_cdf(probabilities.repeat(1000, axis=0), uniforms)
    assert np.bincount(drawn, minlength=4).tolist() == [0, 250, 750, 0]
    assert inverse_cdf(probabilities, np.array([0.0])).tolist() == [1]
    assert inverse_cdf(probabilities, np.array([np.nextafter(1.0, 0.0)])).tolist() == [2]


def test_every_cell_is_drawn_once_and_only_from_cells_drawn_before() -> None:
    class Recording(ColumnModel):
        """Notes how many cells were known when it was asked."""

        def draw(self, context: Any, groups: Any, uniforms: Any) -> Any:
            known.append((~np.isnan(context[:, 1:])).sum(axis=1))
            return np.zeros(len(context), dtype=np.int64)

    known: list[Any] = []
    columns = tuple(Recording(np.array([0]), np.zeros((1, 1), dtype=np.float32), None) for _ in range(5))
    tokens = RowModel(columns, np.array([[0]])).draw(np.zeros(40, dtype=np.int64), 4, np.random.default_rng(0))
    assert tokens.tolist() == [[0] * 5] * 40
    assert np.bincount(np.concatenate(known)).tolist() == [40] * 5


def test_a_fitted_generator_travels_to_a_process_that_never_trained(tmp_path: Any) -> None:
    import pickle

    table = contract_table()
    generator = fitted(table, **TINY)
    counts = {table.groups[-1]: 10}
    path = tmp_path / "fitted.pickle"
    path.write_bytes(pickle.dumps((generator, counts)))
    program = (
        "import pickle, sys, numpy; generator, counts = pickle.load(open(sys.argv[1], 'rb'));"
        "frame = generator.sample(counts, rng=numpy.random.default_rng(5)).frame; print(frame.to_json())"
    )
    seen = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True).stdout
    assert seen.strip() == generator.sample(counts, rng=np.random.default_rng(5)).frame.to_json()


# --- options


@pytest.mark.parametrize(
    "options",
    [
        {"max_bins": 1},
        {"n_copies": 0},
        {"n_rounds": 2.5},
        {"learning_rate": 0},
        {"subsample": 1.5},
        {"reg_lambda": -1},
        {"max_work": 0},
        {"n_threads": 0},
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(options))}=.* is out of range"):
        TreeOptions(**options)
