"""What the table transformer promises beyond the contract."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autosynth
from autosynth import Table
from autosynth.cells import CellCodec
from autosynth.exceptions import ConfigError, DataError, GenerationError
from autosynth.synthesis import sample_rows
from autosynth.testing import contract_table
from autosynth.toy import shortcut_table

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch
from safetensors import safe_open

from autosynth_llm.transformer.copula import CopulaStatistics
from autosynth_llm.transformer.generator import TransformerGenerator
from autosynth_llm.transformer.options import TransformerOptions
from autosynth_llm.transformer.sizes import Sizes
from autosynth_llm.transformer.storage import FACTS, WEIGHTS

TINY: dict[str, Any] = {"steps": 20, "members": 1}


def fit(table: Table, seed: int = 0, **options: Any) -> TransformerGenerator:
    return TransformerGenerator(TransformerOptions(**{**TINY, **options})).fit(table, rng=np.random.default_rng(seed))


def draw(fitted: TransformerGenerator, table: Table, n_rows: int, group: int = -1, seed: int = 1) -> pd.DataFrame:
    return fitted.sample({table.groups[group]: n_rows}, rng=np.random.default_rng(seed)).frame


def two_classes(frame: pd.DataFrame, n_minority: int, seed: int = 0) -> Table:
    label = np.zeros(len(frame), dtype=int)
    label[np.random.default_rng(seed).choice(len(frame), n_minority, replace=False)] = 1
    return Table.from_frame(frame.assign(y=label), label="y")


def exclusive_or(n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Return three columns of which any two are independent, and the third is set by them."""
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, 2, n_rows), rng.integers(0, 2, n_rows)
    names = np.array(["no", "yes"])
    return pd.DataFrame({"left": names[left], "right": names[right], "either": names[left ^ right]})


# --- what it learns ---


def test_training_learns_a_dependence_that_no_pair_of_columns_shows() -> None:
    table = two_classes(exclusive_or(1_500), 300)
    fitted = fit(table, steps=400)
    made = draw(fitted, table, 400)
    agrees = (made["left"] != made["right"]) == (made["either"] == "yes")
    assert agrees.mean() > 0.95
    assert fitted.gain_ > 0.15


def test_untrained_it_is_a_copula_that_keeps_near_copies_together() -> None:
    rng = np.random.default_rng(0)
    size = rng.lognormal(3, 0.5, 200)
    frame = pd.DataFrame(
        {"radius": size, "perimeter": 6.28 * size * rng.normal(1, 0.003, 200), "noise": rng.normal(size=200)}
    )
    table = two_classes(frame, 20)
    made = draw(fit(table, steps=1), table, 300)
    assert made["radius"].corr(made["perimeter"]) > 0.98
    assert abs(made["radius"].corr(made["noise"])) < 0.3


def test_a_rare_group_borrows_dependence_from_the_common_ones() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    table = two_classes(pd.DataFrame({"x": x, "z": x + 0.1 * rng.normal(size=600)}), 4)
    made = draw(fit(table), table, 200)
    assert made["x"].corr(made["z"]) > 0.8


def test_group_means_are_kept_apart() -> None:
    frame = shortcut_table(1_000)
    table = Table.from_frame(frame, label="ill", group_by="hospital")
    rows = sample_rows(
        fit(table), table, dict.fromkeys(table.groups, 200), name="transformer", rng=np.random.default_rng(0)
    ).frame
    keys = ["ill", "hospital"]
    real, made = (one.groupby(keys)["severity"].mean() for one in (frame, rows))
    is_large = frame.groupby(keys).size() >= 50
    assert (real - made)[is_large].abs().max() < 0.2 * frame["severity"].std()
    assert made["yes"].min() > made["no"].max() + 0.5, "rare cells keep to their label's side"


def test_marginals_follow_the_group() -> None:
    table = contract_table(600)
    fitted = fit(table)
    group = table.groups[0]
    made, real = draw(fitted, table, 500, 0), table.frame.iloc[table.positions(group)]
    for name in ("ward", "insurer", "smoker"):
        shares = [one[name].astype(object).fillna("missing").value_counts(normalize=True) for one in (real, made)]
        assert shares[0].sub(shares[1], fill_value=0).abs().sum() / 2 < 0.1, name


def test_without_any_dependence_it_says_that_independent_columns_would_do() -> None:
    rng = np.random.default_rng(0)
    table = two_classes(pd.DataFrame(rng.normal(size=(200, 4)), columns=list("abcd")), 30)
    rows = fit(table, steps=40).sample({table.groups[1]: 5}, rng=rng)
    (note,) = rows.notes
    assert "found no dependence between columns" in note
    assert rows.notes[note] == 5


def test_the_note_reaches_the_report() -> None:
    rng = np.random.default_rng(0)
    frame = two_classes(pd.DataFrame(rng.normal(size=(120, 3)), columns=list("abc")), 30).frame
    result = autosynth.rebalance(
        frame, label="y", generator="transformer", generator_options={"steps": 10, "members": 1}, check="off"
    )
    assert "found no dependence" in str(result.report)


# --- what it makes ---


def test_values_keep_integers_decimals_dates_and_limits() -> None:
    n_rows = 150
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "count": rng.poisson(40, n_rows),
            "price": (rng.lognormal(2, 1, n_rows)).round(2),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, n_rows), unit="D"),
            "paid": np.where(rng.random(n_rows) < 0.7, 0.0, rng.uniform(5, 9, n_rows).round(1)),
        }
    )
    table = two_classes(frame, 30)
    made = draw(fit(table), table, 400)
    assert made.dtypes.equals(table.frame.dtypes)
    assert (made["price"] == made["price"].round(2)).all()
    assert (made["day"] == made["day"].dt.normalize()).all()
    for name in frame:
        assert made[name].between(frame[name].min(), frame[name].max()).all(), name
    assert not made["paid"].between(0, 5, inclusive="neither").any(), "nothing between a spike and its neighbour"


def test_rows_of_continuous_columns_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    table = two_classes(pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc")), 20)
    made = draw(fit(table), table, 300)
    assert not made.merge(table.frame, on=list("abc")).shape[0]


@pytest.mark.parametrize("n_columns", [1, 200])
def test_narrow_and_wide_tables_work(n_columns: int) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, n_columns)), columns=[f"c{number}" for number in range(n_columns)])
    table = two_classes(frame, 12)
    assert draw(fit(table, steps=2), table, 7).shape == (7, n_columns + 1)


def test_columns_with_nothing_to_learn_work() -> None:
    frame = pd.DataFrame(
        {
            "constant": 1,
            "empty": np.nan,
            "text": [f"a long story, number {number}" for number in range(80)],
            "unseen": [np.nan] * 70 + list(range(10)),  # unseen in the majority
        }
    )
    table = Table.from_frame(frame.assign(y=[0] * 60 + [1] * 20), label="y")
    made = draw(fit(table), table, 10)
    assert made["constant"].eq(1).all()
    assert made["empty"].isna().all()
    assert set(made["text"]) <= set(frame["text"][60:])


def test_a_table_of_label_and_text_needs_no_network() -> None:
    frame = pd.DataFrame({"text": [f"story {number}" for number in range(80)], "y": [0] * 60 + [1] * 20})
    table = Table.from_frame(frame, label="y")
    fitted = fit(table)
    assert fitted.members_ == ()
    assert len(draw(fitted, table, 5)) == 5


def test_low_temperature_gives_typical_values() -> None:
    frame = pd.DataFrame({"level": ["a"] * 70 + ["b"] * 20 + ["c"] * 10})
    table = two_classes(frame, 50)
    shares = [(draw(fit(table, temperature=heat), table, 200)["level"] == "a").mean() for heat in (0.2, 1.0)]
    assert shares[0] > 0.95 > shares[1]


# --- seeds, threads, time ---


def test_training_leaves_threads_and_streams_of_torch_alone() -> None:
    table = contract_table()
    state, n_threads = torch.get_rng_state(), torch.get_num_threads()
    draw(fit(table, n_threads=1 if n_threads > 1 else 2), table, 5)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == n_threads


def test_another_process_draws_the_same_rows_from_a_saved_generator(tmp_path: Path) -> None:
    table = contract_table()
    fitted = fit(table)
    fitted.save(tmp_path / "model")
    here = draw(fitted, table, 20).to_json(orient="records", date_format="iso", double_precision=15)
    program = (
        "import numpy as np, sys\n"
        "from autosynth_llm import TransformerGenerator\n"
        "fitted = TransformerGenerator.load(sys.argv[1])\n"
        "rows = fitted.sample({fitted.groups_[-1]: 20}, rng=np.random.default_rng(1)).frame\n"
        "print(rows.to_json(orient='records', date_format='iso', double_precision=15))"
    )
    there = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model")], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(there) == json.loads(here)


def test_a_saved_generator_holds_no_pickle(tmp_path: Path) -> None:
    folder = fit(contract_table()).save(tmp_path / "model")
    assert sorted(path.name for path in folder.iterdir()) == [FACTS, WEIGHTS]
    json.loads((folder / FACTS).read_text())
    with safe_open(folder / WEIGHTS, framework="np") as weights:
        assert "0.network.token_in" in weights.keys()  # noqa: SIM118 - no mapping


def test_a_half_saved_or_foreign_folder_is_refused(tmp_path: Path) -> None:
    folder = fit(contract_table()).save(tmp_path / "model")
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:100])
    with pytest.raises(ConfigError, match="no complete saved generator"):
        TransformerGenerator.load(folder)
    (folder / FACTS).write_text('{"format": "something-else"}')
    with pytest.raises(ConfigError, match="something-else"):
        TransformerGenerator.load(folder)
    with pytest.raises(ConfigError, match="no complete saved generator"):
        TransformerGenerator.load(tmp_path / "nowhere")


def test_saving_spares_what_lies_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="holds something else"):
        fit(contract_table()).save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_failed_save_keeps_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = fit(contract_table())
    fitted.save(tmp_path / "model")
    fitted.codec_ = dataclasses.replace(fitted.codec_, empty=pd.DataFrame({1j: [1]}))
    with pytest.raises(DataError):
        fitted.save(tmp_path / "model")
    assert TransformerGenerator.load(tmp_path / "model").groups_ == fitted.groups_


def test_numpy_numbers_and_paths_are_options_that_can_be_saved(tmp_path: Path) -> None:
    fitted = fit(contract_table(), steps=np.int64(3), learning_rate=np.float32(0.006), checkpoint=tmp_path / "states")
    assert TransformerGenerator.load(fitted.save(tmp_path / "model")).options.steps == 3


def test_drawing_before_fitting_and_unknown_groups_are_refused() -> None:
    table = contract_table()
    with pytest.raises(GenerationError, match="Call fit before sample"):
        TransformerGenerator().sample({table.groups[0]: 1}, rng=np.random.default_rng(0))
    with pytest.raises(GenerationError, match="is no group of the table"):
        fit(table, steps=1).sample({autosynth.Group((("ill", "maybe"),)): 1}, rng=np.random.default_rng(0))


def test_tiny_groups_alone_are_judged_by_rows_held_out() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(30, 4)), columns=list("abcd")).assign(
        y=[f"class {row % 10}" for row in range(30)]
    )
    fitted = fit(Table.from_frame(frame, label="y"), steps=100)
    assert fitted.gain_ < 0.3, "noise is not taken for structure"


def test_one_column_of_many_levels_costs_the_others_nothing() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(1_000, 40)), columns=[f"c{number}" for number in range(40)])
    frame["code"] = rng.integers(0, 240, 1_000).astype(str)
    frame["y"] = rng.integers(0, 20, 1_000).astype(str)
    table = Table.from_frame(frame, label="y")
    codec = CellCodec.learn(table)
    cells = codec.encode(frame, table.group_codes)
    tracemalloc.start()
    CopulaStatistics.learn(codec, cells.tokens, cells.scores, table.group_codes, 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60e6


def test_saving_before_fitting_says_what_to_do() -> None:
    with pytest.raises(GenerationError, match="Call fit before save"):
        TransformerGenerator().save("anywhere")


def test_an_interrupted_training_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autosynth_llm.transformer import training

    table = contract_table()
    folder = str(tmp_path / "checkpoint")
    options = {"steps": 40, "members": 2, "patience": 50}
    whole = draw(fit(table, **options), table, 30)

    steps: list[int] = []
    take_step = training.Training.take_step

    def step_until_interrupted(self: training.Training) -> None:
        steps.append(1)
        if len(steps) == 65:  # in the second network, between two looks
            raise KeyboardInterrupt
        take_step(self)

    monkeypatch.setattr(training.Training, "take_step", step_until_interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(table, checkpoint=folder, **options)
    steps.clear()
    resumed = draw(fit(table, checkpoint=folder, **options), table, 30)
    pd.testing.assert_frame_equal(resumed, whole)
    assert len(steps) == 20, "the first network is not trained again, and the second from its last look on"
    assert not Path(folder).exists()


def test_trainings_of_other_tables_and_seeds_share_a_checkpoint_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autosynth_llm.transformer import training

    table, folder = contract_table(), tmp_path / "checkpoint"
    look = training.Training.look

    def interrupt_after_training(self: training.Training, *held_out: Any) -> None:
        look(self, *held_out)
        if self.step == self.n_steps:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training.Training, "look", interrupt_after_training)
        for seed in (0, 1):
            with pytest.raises(KeyboardInterrupt):
                fit(table, seed=seed, checkpoint=str(folder))
    (folder / "thesis.txt").write_text("years of work")
    fit(table, seed=7, checkpoint=str(folder), time_limit_s=600)
    assert len(list(folder.glob("transformer-*"))) == 2, "the state of the others is still there"
    for seed in (0, 1):
        fit(table, seed=seed, checkpoint=str(folder), time_limit_s=600)  # the limit may differ
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_time_limit_ends_training_with_a_usable_network() -> None:
    table = contract_table()
    started = time.monotonic()
    fitted = fit(table, steps=1_000_000, patience=1_000_000, members=2, time_limit_s=1.0)
    assert time.monotonic() - started < 10
    assert len(draw(fitted, table, 5)) == 5


def test_a_training_that_ran_out_of_time_goes_on_from_its_last_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autosynth_llm.transformer import training

    table, folder = contract_table(), tmp_path / "states"
    options: dict[str, Any] = {"steps": 60, "patience": 50, "checkpoint": str(folder)}
    steps: list[int] = []
    take_step = training.Training.take_step

    def counted(self: training.Training) -> None:
        steps.append(1)
        take_step(self)

    monkeypatch.setattr(training.Training, "take_step", counted)
    with monkeypatch.context() as patch:
        patch.setattr(training.time, "monotonic", lambda: 1e12 if len(steps) >= 25 else 0.0)
        fit(table, time_limit_s=600, **options)
    assert len(steps) == 25
    resumed = draw(fit(table, **options), table, 20)
    assert len(steps) == 25 + 40, "from the look after 20 steps on"
    assert not folder.exists()
    pd.testing.assert_frame_equal(resumed, draw(fit(table, steps=60, patience=50), table, 20))


def test_every_network_has_rows_that_it_does_not_learn() -> None:
    frame = pd.DataFrame({"x": np.arange(7.0), "y": ["big"] * 4 + ["tiny"] * 3})
    fitted = fit(Table.from_frame(frame, label="y"), steps=2, members=6)
    assert len(fitted.members_) == 4


def test_a_group_follows_the_network_by_its_size_and_not_without_held_out_rows() -> None:
    rng = np.random.default_rng(0)
    frame = exclusive_or(600).assign(y=["big"] * 520 + ["small"] * 78 + ["tiny"] * 2)
    frame = frame.iloc[rng.permutation(600)].reset_index(drop=True)
    trust = fit(Table.from_frame(frame, label="y"), steps=300).members_[0].network.trust.tolist()
    assert trust[0] == pytest.approx(520 / 550)
    assert 0 < trust[1] <= 78 / 108 + 1e-6
    assert trust[2] == 0


# --- options ---


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bins": 1}, "bins=1 is out of range"),
        ({"width": 30, "heads": 4}, "width=30 is not a multiple of heads=4"),
        ({"dropout": 1.0}, "dropout=1.0 is out of range"),
        ({"holdout_share": 0}, "holdout_share=0 is out of range"),
        ({"device": "tpu"}, "device='tpu' is unknown"),
        ({"temperature": 0}, "temperature=0 is out of range"),
        ({"time_limit_s": -1}, "time_limit_s=-1 is out of range"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TransformerOptions(**options)


@pytest.mark.parametrize(("n_rows", "n_columns"), [(20, 3), (500, 200), (3_000, 20), (100_000, 20), (100_000, 2_000)])
def test_sizes_fit_every_table(n_rows: int, n_columns: int) -> None:
    sizes = Sizes.of(TransformerOptions(), n_rows, n_columns)
    assert all(size >= 1 for size in dataclasses.asdict(sizes).values())
    assert sizes.width % sizes.heads == 0
    assert Sizes.of(TransformerOptions(**dataclasses.asdict(sizes)), 10, 10) == sizes, "what is set stays"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_asking_for_a_gpu_where_there_is_none_says_so() -> None:
    with pytest.raises(ConfigError, match="finds no CUDA device here"):
        fit(contract_table(), device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_trains_and_the_rows_are_drawn_anywhere() -> None:
    table = contract_table()
    assert len(draw(fit(table, device="cuda"), table, 5)) == 5
