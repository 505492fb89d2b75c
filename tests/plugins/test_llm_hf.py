"""The generator ``llm`` on tiny models with random weights, made here and loaded like any other."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autosynth import Table
from autosynth.conform import conform
from autosynth.exceptions import ConfigError, DataError, GenerationError
from autosynth.plan import SamplingPlan
from autosynth.testing import (
    Candidate,
    contract_table,
    gives_equal_rows_for_equal_seeds,
    gives_the_counts_asked_for,
    survives_pickling,
)
from autosynth_llm.hf.generator import LLMGenerator
from autosynth_llm.hf.grammar import AmbiguousTokensError, GrammarBuilder
from autosynth_llm.hf.options import LLMOptions

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")
accelerate = pytest.importorskip("accelerate")

from tests.plugins.tiny_lm import END, OTHERS, WINDOWED, make_tiny_lm, rows_as_lines  # noqa: E402 - needs what is imported above

FAST: dict[str, Any] = {"epochs": 1, "batch_size": 32, "n_threads": 1}
UNTRAINED: dict[str, Any] = {"epochs": 0, "n_threads": 1}
# Positions and caches differ between families; tests/plugins/test_contract.py runs the whole contract on one of them.
ROTARY_PARTS = [gives_the_counts_asked_for, gives_equal_rows_for_equal_seeds, survives_pickling]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A tiny model of every family."""
    lines = rows_as_lines(contract_table().frame.drop(columns="note"))
    root = tmp_path_factory.mktemp("models")
    families = ("gpt2", "llama", *WINDOWED, *OTHERS)
    return {family: make_tiny_lm(root / family, lines, family=family) for family in families}


def fitted(table: Table, folder: str, seed: int = 0, **options: Any) -> LLMGenerator:
    return LLMGenerator(LLMOptions(model=folder, **{"n_threads": 1} | options)).fit(
        table, rng=np.random.default_rng(seed)
    )


def drawn(generator: LLMGenerator, table: Table, n_rows: int = 20, seed: int = 1) -> pd.DataFrame:
    """Return ``n_rows`` of every group, in the order of the groups."""
    answer = generator.sample(dict.fromkeys(table.groups, n_rows), rng=np.random.default_rng(seed))
    return answer.frame


def dependent_table(n_rows: int = 200) -> Table:
    """The label decides the tint, and the colour, which does not depend on it, decides the shape."""
    rng = np.random.default_rng(0)
    label = rng.random(n_rows) < 0.25
    colour = rng.choice(["red", "green", "blue"], n_rows)
    shape = pd.Series(colour).map({"red": "round", "green": "square", "blue": "long"})
    frame = pd.DataFrame({"colour": colour, "shape": shape, "tint": np.where(label, "dark", "light")})
    return Table.from_frame(frame.assign(label=np.where(label, "yes", "no")), label="label")


# --- the contract


@pytest.mark.parametrize("part", ROTARY_PARTS, ids=lambda part: part.__name__)
def test_a_model_with_rotary_positions_keeps_the_contract(
    part: Callable[[Candidate], None], folders: dict[str, str]
) -> None:
    part(Candidate(lambda table: LLMGenerator(LLMOptions(model=folders["llama"], **FAST))))


def test_every_row_of_an_untrained_model_is_valid_and_in_its_group(folders: dict[str, str]) -> None:
    table = contract_table()
    rows = Candidate(LLMGenerator(LLMOptions(model=folders["gpt2"], **UNTRAINED)))
    result = rows.sample(rows.fit(table), table, SamplingPlan.make(table, augment=20).counts)
    assert result.n_rounds == 1
    assert not result.refusals


def test_texts_are_copied_from_the_same_group_and_counted(folders: dict[str, str]) -> None:
    table = contract_table()
    group = table.groups[-1]
    generator = fitted(table, folders["gpt2"], **UNTRAINED)
    answer = generator.sample({group: 5}, rng=np.random.default_rng(0))
    assert answer.notes["note: copied from a real row of the same group"] == 5
    assert answer.parents is not None
    assert set(answer.parents[:, 0]) <= set(table.positions(group))


def test_no_group_or_no_rows_give_an_empty_table(folders: dict[str, str]) -> None:
    table = contract_table()
    generator = fitted(table, folders["gpt2"], **UNTRAINED)
    for counts in ({}, {table.groups[0]: 0}):
        frame = generator.sample(counts, rng=np.random.default_rng(0)).frame
        assert len(frame) == 0
        assert frame.dtypes.equals(table.frame.dtypes)


@given(data=st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_rows_of_any_kinds_of_columns_are_valid(
    data: st.DataObject, any_column: st.SearchStrategy[pd.Series], folders: dict[str, str]
) -> None:
    n_rows = 24
    columns = data.draw(st.lists(any_column, min_size=1, max_size=4))
    frame = pd.DataFrame(
        {
            f"column {number}": values.take(np.resize(np.arange(len(values)), n_rows)).reset_index(drop=True)
            for number, values in enumerate(columns)
        }
    ).assign(label=np.resize(["a", "b", "b"], n_rows))
    try:
        table = Table.from_frame(frame, label="label", group_by=data.draw(st.sampled_from([None, "column 0"])))
    except DataError:
        return  # no table to balance
    rows = drawn(fitted(table, folders["gpt2"], max_number_values=4, **UNTRAINED), table, 3)
    conformed, valid, refusals = conform(rows, table.schema, owner="llm")
    assert valid.all(), refusals
    assert table.grouping.codes(conformed).tolist() == np.repeat(np.arange(len(table.groups)), 3).tolist()


# --- values and seams


def test_a_value_that_begins_like_another_one_is_written(folders: dict[str, str]) -> None:
    values = ["1", "10", "100", "a", "a, b", "a is b", "a,", '"a', " a", "1, x is 10"]
    frame = pd.DataFrame(
        {
            "x, y is": np.resize(values, 200),
            "n is": np.resize([1, 10, 100], 200),
            "label": np.resize(["a", "a, b"], 200),
        }
    )
    table = Table.from_frame(frame, label="label")
    rows = drawn(fitted(table, folders["gpt2"], **UNTRAINED), table, 300)
    assert set(rows["x, y is"]) == set(values)
    assert set(rows["n is"]) == {1, 10, 100}
    assert rows["label"].tolist() == ["a"] * 300 + ["a, b"] * 300


def test_values_like_the_end_mark_of_the_model_are_written(folders: dict[str, str]) -> None:
    frame = pd.DataFrame({"x": np.resize([END, f"{END}{END}", "ä", "漢"], 60), "label": np.resize(["a", "b", "b"], 60)})
    table = Table.from_frame(frame, label="label")
    assert set(drawn(fitted(table, folders["gpt2"], **UNTRAINED), table, 50)["x"]) == set(frame["x"])


@pytest.mark.parametrize("family", ["gpt2", "llama", "gpt_neo", "mistral", "mpt"])
def test_rows_drawn_in_a_batch_are_those_drawn_alone_and_those_of_the_training_text(
    family: str, folders: dict[str, str]
) -> None:
    """Padding, positions, cache and seams: the likeliest row is the same by every way of asking."""
    from autosynth_llm.hf.decoding import RowDecoder
    from autosynth_llm.hf.examples import assemble

    table = contract_table()
    generator = fitted(table, folders[family], epochs=2, learning_rate=3e-3)
    text, model, n_columns = generator.text_, generator.model_, len(generator.codec_.columns)
    # So low a temperature that the likeliest branch is always taken.
    decoder = RowDecoder(model, text, temperature=1e-6, uses_cache=generator.uses_cache_)
    codes = np.arange(len(table.groups))
    together = decoder.draw(codes, n_columns, np.random.default_rng(3))
    alone = [decoder.draw(codes[[code]], n_columns, np.random.default_rng(3))[0] for code in codes]
    assert together.tolist() == np.array(alone).tolist()

    order = text.draw_order(np.random.default_rng(3))
    written = [text.write(cells, int(code), order) for cells, code in zip(together, codes, strict=True)]
    batch = assemble([tokens for tokens, _ in written], [decisions for _, decisions in written])
    with torch.no_grad():
        logits = model(torch.from_numpy(batch.tokens), attention_mask=torch.from_numpy(batch.mask)).logits.numpy()
    for row, position, node, branch in zip(batch.rows, batch.positions, batch.nodes, batch.branches, strict=True):
        first = text.grammar.first_tokens[node, : text.grammar.n_branches[node]]
        assert logits[row, position, first].argmax() == branch


@pytest.mark.parametrize(("family", "uses_cache"), [("gpt2", True), ("llama", True), ("mistral", True), ("mpt", False)])
def test_a_model_that_counts_the_padding_in_its_cache_is_read_without(
    family: str, uses_cache: bool, folders: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    table = contract_table(60)
    generator = fitted(table, folders[family], **UNTRAINED)
    assert generator.uses_cache_ is uses_cache
    assert ("every step reads whole rows" in caplog.text) is not uses_cache
    assert len(drawn(generator, table, 2)) == 2 * len(table.groups)


def test_a_cache_is_used_until_it_is_longer_than_the_window_of_a_model(folders: dict[str, str]) -> None:
    from autosynth_llm.hf.reading import RowReader

    model = transformers.AutoModelForCausalLM.from_pretrained(folders["mistral"])
    read: list[tuple[int, ...]] = []
    model.register_forward_pre_hook(lambda _, given, named: read.append(named["input_ids"].shape), with_kwargs=True)
    reader = RowReader(model, 2, uses_cache=True)
    for short, long in [(5, 5), (1, 6), (1, 5), (1, 2)]:
        reader.add(0, tuple(range(short)))
        reader.add(1, tuple(range(long)))
        with torch.inference_mode():
            reader.read()
    assert read == [(2, 5), (2, 6), (2, 5), (2, 18)]


def test_a_model_that_looks_ahead_is_refused(folders: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"of type bert \(BertLMHeadModel\) says something else .* complete"):
        fitted(contract_table(60), folders["bert"], **UNTRAINED)


@pytest.mark.parametrize(("family", "uses_cache"), [("gpt2", True), ("mistral", True), ("mpt", False)])
def test_rounding_is_no_reason_to_read_without_a_cache(family: str, uses_cache: bool, folders: dict[str, str]) -> None:
    generator = fitted(contract_table(60), folders[family], dtype="bfloat16", **UNTRAINED)
    assert generator.uses_cache_ is uses_cache


def test_the_model_is_asked_only_where_there_is_a_choice(folders: dict[str, str]) -> None:
    from autosynth_llm.hf.decoding import RowDecoder

    table = dependent_table()
    generator = fitted(table, folders["gpt2"], **UNTRAINED)
    decoder = RowDecoder(generator.model_, generator.text_, temperature=1.0)
    decoder.draw(np.zeros(50, dtype=np.int64), 3, np.random.default_rng(0))
    paths = [generator.text_.cells[column][0].decisions.values() for column in range(3)]
    n_decisions = sum(max(map(len, of_column)) for of_column in paths)
    assert 3 <= decoder.n_steps <= n_decisions < generator.text_.max_row_tokens / 3


def test_a_tokenizer_that_puts_a_blank_before_every_text_works(folders: dict[str, str], tmp_path: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE(unk_token="?", byte_fallback=True))  # noqa: S106 - no password
    bpe.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    bpe.decoder = decoders.Metaspace(prepend_scheme="always", split=False)
    letters = [chr(code) for code in range(33, 127)]
    bpe.train_from_iterator(
        rows_as_lines(contract_table().frame),
        trainers.BpeTrainer(vocab_size=400, special_tokens=["<s>"], initial_alphabet=letters, show_progress=False),
    )
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", eos_token="<s>")  # noqa: S106
    model = transformers.AutoModelForCausalLM.from_pretrained(folders["llama"])
    generator = LLMGenerator(LLMOptions(**FAST), model=model, tokenizer=tokenizer)
    table = contract_table()
    rows = drawn(generator.fit(table, rng=np.random.default_rng(0)), table, 20)
    assert table.grouping.codes(rows).tolist() == np.repeat(np.arange(len(table.groups)), 20).tolist()


@given(
    sequences=st.sets(st.lists(st.integers(0, 3), max_size=5).map(tuple), min_size=1, max_size=30),
)
@settings(max_examples=200, deadline=None)
def test_a_grammar_accepts_its_values_and_nothing_else(sequences: set[tuple[int, ...]]) -> None:
    end = 9
    values = {number: (*tokens, end) for number, tokens in enumerate(sorted(sequences))}
    builder = GrammarBuilder()
    root, decisions = builder.add(values)
    grammar = builder.build()
    found = {}
    stack: list[tuple[int, tuple[int, ...]]] = [(root, ())]
    while stack:
        node, before = stack.pop()
        for branch in range(grammar.n_branches[node]):
            tokens = before + grammar.tokens[node][branch]
            assert grammar.first_tokens[node, branch] == grammar.tokens[node][branch][0]
            if grammar.choices[node, branch] >= 0:
                found[int(grammar.choices[node, branch])] = tokens
            else:
                stack.append((int(grammar.targets[node, branch]), tokens))
    assert found == values
    for value, path in decisions.items():
        for made in path:
            assert values[value][made.offset] == grammar.first_tokens[made.node, made.branch]


@pytest.mark.parametrize("values", [{0: (1, 9), 1: (1, 9)}, {0: (1, 9), 1: (1, 9, 2, 9)}])
def test_tokens_that_do_not_tell_values_apart_are_refused(values: dict[int, tuple[int, ...]]) -> None:
    with pytest.raises(AmbiguousTokensError):
        GrammarBuilder().add(values)


def test_binned_groups_stay_in_their_bins_and_missing_ones_missing(folders: dict[str, str]) -> None:
    rng = np.random.default_rng(0)
    income = rng.lognormal(size=200).round(3)
    income[:30] = np.nan
    table = Table.from_frame(
        pd.DataFrame({"income": income, "x": rng.normal(size=200), "label": rng.choice(["a", "b"], 200)}),
        label="label",
        group_by={"income": 3},
    )
    rows = drawn(fitted(table, folders["gpt2"], **FAST), table, 25)
    assert table.grouping.codes(rows).tolist() == np.repeat(np.arange(len(table.groups)), 25).tolist()
    assert rows["income"].nunique() > 50  # made inside the bins, not copied from their middles


def test_numbers_are_made_between_the_real_ones(folders: dict[str, str]) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=300).round(3), "label": rng.choice(["a", "b"], 300, p=[0.8, 0.2])})
    table = Table.from_frame(frame, label="label")
    made = drawn(fitted(table, folders["gpt2"], **UNTRAINED), table, 200)["x"]
    assert made.between(frame["x"].min(), frame["x"].max()).all()
    assert made.round(3).equals(made)
    assert (~made.isin(frame["x"])).mean() > 0.3


def test_columns_with_one_value_or_none_come_back_as_they_were(folders: dict[str, str]) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"one": ["a"] * 60, "none": [np.nan] * 60, "x": rng.integers(0, 3, 60), "label": rng.choice(["a", "b"], 60)}
    )
    table = Table.from_frame(frame, label="label")
    rows = drawn(fitted(table, folders["gpt2"], **FAST), table, 5)
    assert rows["one"].eq("a").all()
    assert rows["none"].isna().all()
    assert rows["none"].dtype == frame["none"].dtype


def test_a_bin_is_written_with_the_digits_that_tell_it_from_others(folders: dict[str, str]) -> None:
    from autosynth.cells import CellCodec
    from autosynth_llm.hf.row_text import RowText

    class Recorder:
        """Remembers the texts it is given; its tokens are their letters."""

        bos_token_id, eos_token_id = None, None

        def __init__(self) -> None:
            self.seen: list[str] = []

        def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
            self.seen.append(text)
            return [ord(letter) for letter in text]

        def decode(self, token_ids: Any, **options: Any) -> str:
            return "".join(map(chr, token_ids))

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "price": rng.lognormal(9, 1, 300).round(2),
            "year": rng.integers(1900, 2020, 300),
            "label": rng.choice(["a", "b"], 300),
        }
    )
    table = Table.from_frame(frame, label="label")
    recorder = Recorder()
    text = RowText.learn(table, CellCodec.learn(table, max_bins=32), recorder)
    numbers = [entry for entry in recorder.seen if entry.strip()[0].isdigit()]
    assert max(map(len, numbers)) <= 6  # a blank, and five digits at most
    assert text.max_row_tokens == len("label is a,") + len(" price is 12345,") + len(" year is 1987,")


# --- training


def test_training_lowers_the_held_out_loss_and_learns_a_strong_dependence(tmp_path: Path) -> None:
    table = dependent_table(400)
    folder = make_tiny_lm(tmp_path, rows_as_lines(table.frame), family="llama", width=64)
    generator = fitted(table, folder, epochs=6, learning_rate=5e-3)
    record = generator.record_
    best = record.holdout_nats[record.best_epoch]
    # The colour costs log 3, wherever it is told first; shape and tint cost nothing once it is known what they hang on.
    assert best < np.log(3) + 0.3 < record.holdout_nats[0]
    assert record.gain_nats is not None
    assert record.gain_nats > np.log(3) - 0.4  # against independent columns, which pay for the shape as well
    answer = generator.sample(dict.fromkeys(table.groups, 50), rng=np.random.default_rng(0))
    rows = answer.frame
    assert not answer.notes
    assert ((rows["tint"] == "dark") == (rows["label"] == "yes")).mean() > 0.95
    assert (rows["shape"] == rows["colour"].map({"red": "round", "green": "square", "blue": "long"})).mean() > 0.95
    assert rows["colour"].nunique() == 3


def test_rare_groups_are_seen_more_often_in_training(folders: dict[str, str]) -> None:
    from autosynth_llm.hf.examples import Examples

    generator = fitted(dependent_table(), folders["gpt2"], **UNTRAINED)
    codes = np.repeat([0, 1], [900, 100])
    examples = Examples(generator.text_, np.zeros((1000, 3), dtype=np.int64), codes)
    shares = [codes[examples.draw_epoch(np.random.default_rng(seed))].mean() for seed in range(20)]
    assert np.mean(shares) == pytest.approx(0.25, abs=0.02)  # 10 % of the rows; sqrt(100) / (sqrt(100) + sqrt(900))


def test_a_model_that_learned_nothing_says_so(folders: dict[str, str]) -> None:
    table = contract_table()
    generator = fitted(table, folders["gpt2"], max_number_values=8, **UNTRAINED)
    notes = generator.sample({table.groups[0]: 3}, rng=np.random.default_rng(0)).notes
    assert notes["written by a model that predicts held-out rows no better than independent columns"] == 3


@pytest.mark.parametrize(
    ("gain", "error", "is_said"),
    [(1.0, 0.5, False), (0.4, 0.5, True), (0.05, 0.01, True), (-1.0, 0.1, True), (-1.0, None, False)],
)
def test_a_gain_within_chance_is_none(gain: float, error: float | None, is_said: bool, folders: dict[str, str]) -> None:
    generator = fitted(dependent_table(60), folders["gpt2"], **UNTRAINED)  # three columns: 0.06 nats at least
    generator.record_.independent_nats = generator.record_.holdout_nats[0] + gain
    generator.record_.gain_error_nats = error
    notes = generator.sample({generator.groups_[0]: 2}, rng=np.random.default_rng(0)).notes
    assert bool(notes) is is_said


def test_the_error_of_the_gain_is_that_of_a_mean_over_held_out_rows(folders: dict[str, str]) -> None:
    errors = []
    for n_rows in (200, 3200):
        record = fitted(contract_table(n_rows), folders["gpt2"], max_number_values=4, **UNTRAINED).record_
        assert record.gain_error_nats is not None
        errors.append(record.gain_error_nats)
    assert 2.5 < errors[0] / errors[1] < 6  # four times as precise with sixteen times the rows


def test_training_stops_early_and_keeps_the_best_epoch(folders: dict[str, str]) -> None:
    generator = fitted(contract_table(), folders["gpt2"], epochs=6, patience=2, learning_rate=1.0)  # far too fast
    record = generator.record_
    assert len(record.train_nats) == record.best_epoch + 2 < 6
    assert record.holdout_nats[record.best_epoch] == min(record.holdout_nats)


def test_small_tables_train_on_all_rows(folders: dict[str, str]) -> None:
    table = Table.from_frame(dependent_table(30).frame, label="label")
    record = fitted(table, folders["gpt2"], epochs=2).record_
    assert (record.holdout_nats, record.best_epoch, record.gain_nats) == ([], 2, None)


def test_adapters_are_all_that_lora_trains(folders: dict[str, str]) -> None:
    from autosynth_llm.hf.training import with_adapters

    table = contract_table()
    model = transformers.AutoModelForCausalLM.from_pretrained(folders["gpt2"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted = with_adapters(model, LLMOptions(model="x", lora=True, lora_rank=2))
    trained = [name for name, weight in adapted.named_parameters() if weight.requires_grad]
    assert trained
    assert all("lora_" in name for name in trained)

    before = transformers.AutoModelForCausalLM.from_pretrained(folders["gpt2"]).state_dict()
    generator = fitted(table, folders["gpt2"], lora=True, lora_rank=2, learning_rate=1e-2, **FAST)
    after = generator.model_.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert not [name for name in changed if "wte" in name or "wpe" in name or "ln_" in name or "bias" in name]
    assert len(drawn(generator, table, 2)) == 2 * len(table.groups)


def test_mixed_precision_trains_samples_and_travels(folders: dict[str, str]) -> None:
    table = contract_table(120)
    generator = fitted(table, folders["gpt2"], mixed_precision="bf16", device="cpu", **FAST)
    travelled = pickle.loads(pickle.dumps(generator))
    pd.testing.assert_frame_equal(drawn(generator, table, 3), drawn(travelled, table, 3))


def test_an_interrupted_training_ends_like_one_that_was_not(
    folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autosynth_llm.hf.checkpoints import Checkpoints

    table = contract_table(120)
    options: dict[str, Any] = {"epochs": 3, "batch_size": 32, "learning_rate": 1e-2}
    whole = fitted(table, folders["gpt2"], **options)
    save = Checkpoints.save

    def save_and_die(self: Checkpoints, state: Any) -> None:
        save(self, state)
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "save", save_and_die)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            fitted(table, folders["gpt2"], checkpoint=str(tmp_path / "run"), **options)
    monkeypatch.undo()
    continued = fitted(table, folders["gpt2"], checkpoint=str(tmp_path / "run"), **options)
    assert continued.record_ == whole.record_
    pd.testing.assert_frame_equal(drawn(continued, table), drawn(whole, table))
    assert not (tmp_path / "run").exists()  # nothing is left to continue


def test_trainings_on_other_rows_share_a_checkpoint_folder(
    folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autosynth_llm.hf.checkpoints import Checkpoints

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "clear", lambda self: None)
        fitted(contract_table(120), folders["gpt2"], checkpoint=str(tmp_path), **FAST)
    fitted(contract_table(130), folders["gpt2"], checkpoint=str(tmp_path), **FAST)
    assert len(list(tmp_path.iterdir())) == 1, "the other training's state is still there"


def test_the_state_of_a_training_is_not_taken_for_that_of_other_texts_or_weights(folders: dict[str, str]) -> None:
    from autosynth_llm.hf.examples import Examples

    frame = dependent_table(60).frame
    renamed = frame.rename(columns={"tint": "shade"})
    other_values = frame.assign(tint=frame["tint"].map({"dark": "deep", "light": "pale"}))
    other_group = frame.assign(label=frame["label"].map({"yes": "yea", "no": "nay"}))
    prints = []
    for variant in (frame, frame, renamed, other_values, other_group):
        table = Table.from_frame(variant, label="label")
        generator = fitted(table, folders["gpt2"], **UNTRAINED)
        cells = generator.codec_.encode(table.frame, table.group_codes).tokens
        examples = Examples(generator.text_, cells, table.group_codes)
        prints.append(generator._fingerprint(examples, generator.model_, "seed"))
    with torch.no_grad():
        weight = generator.model_.transformer.h[0].mlp.c_fc.weight
        weight.copy_(weight.flip(0))  # the sum stays
    prints.append(generator._fingerprint(examples, generator.model_, "seed"))
    assert prints[0] == prints[1]
    assert len(set(prints)) == 5


def test_a_broken_checkpoint_is_refused(
    folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autosynth_llm.hf.checkpoints import Checkpoints

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "clear", lambda self: None)
        fitted(contract_table(120), folders["gpt2"], checkpoint=str(tmp_path), **FAST)
    (state,) = tmp_path.iterdir()
    state.write_bytes(state.read_bytes()[:50])
    with pytest.raises(ConfigError, match="cannot be read"):
        fitted(contract_table(120), folders["gpt2"], checkpoint=str(tmp_path), **FAST)


def test_training_ends_at_its_time_limit(folders: dict[str, str]) -> None:
    generator = fitted(contract_table(), folders["gpt2"], epochs=10_000, patience=10_000, time_limit_s=1.0)
    assert len(generator.record_.train_nats) < 100
    assert len(drawn(generator, contract_table(), 2)) == 8


# --- saving


@pytest.mark.parametrize("family", ["gpt2", "mpt"])
def test_a_saved_generator_gives_the_same_rows(family: str, folders: dict[str, str], tmp_path: Path) -> None:
    frame = contract_table(120).frame
    table = Table.from_frame(frame.drop(columns="ill").assign(ill=frame["ill"]), label="ill", group_by={"age": 2})
    generator = fitted(table, folders[family], **FAST)
    folder = generator.save(tmp_path / "saved")
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} <= {".json", ".safetensors", ".jinja", ".txt"}
    loaded = LLMGenerator.load(folder)
    assert (loaded.options, loaded.record_) == (generator.options, generator.record_)
    assert loaded.uses_cache_ is generator.uses_cache_
    pd.testing.assert_frame_equal(drawn(loaded, table), drawn(generator, table))
    loaded.save(folder)  # onto itself
    pd.testing.assert_frame_equal(drawn(LLMGenerator.load(folder), table), drawn(generator, table))


def test_what_is_no_saved_generator_is_refused(folders: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="Call fit before save"):
        LLMGenerator(LLMOptions(model="x")).save(tmp_path)
    with pytest.raises(ConfigError, match="is no complete saved generator"):
        LLMGenerator.load(tmp_path)
    (tmp_path / "llm.json").write_text('{"format": "other"}')
    with pytest.raises(ConfigError, match="holds format 'other'"):
        LLMGenerator.load(tmp_path)
    (tmp_path / "llm.json").rename(tmp_path / "precious.json")
    with pytest.raises(ConfigError, match="holds something else"):
        fitted(contract_table(60), folders["gpt2"], **UNTRAINED).save(tmp_path)


# --- models


def test_a_model_object_is_used_and_left_as_it_was(folders: dict[str, str]) -> None:
    table = contract_table(120)
    model = transformers.AutoModelForCausalLM.from_pretrained(folders["gpt2"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders["gpt2"])
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    given = LLMGenerator(LLMOptions(**FAST), model=model, tokenizer=tokenizer).fit(table, rng=np.random.default_rng(0))
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())
    pd.testing.assert_frame_equal(drawn(given, table), drawn(fitted(table, folders["gpt2"], **FAST), table))


def test_a_copy_of_a_generator_shares_the_model_given_and_nothing_that_was_learned(folders: dict[str, str]) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(folders["gpt2"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders["gpt2"])
    given = LLMGenerator(LLMOptions(**UNTRAINED), model=model, tokenizer=tokenizer)
    fitted_one = given.fit(contract_table(60), rng=np.random.default_rng(0))
    twin, other_model = copy.deepcopy([fitted_one, model])
    assert twin.model is model
    assert other_model is not model
    assert twin.model_ is not fitted_one.model_
    assert twin.model_ is not model
    assert twin.text_ is not fitted_one.text_


def test_a_generator_without_a_model_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match=r"model=None names no language model.*use the generator 'transformer'"):
        LLMGenerator()
    with pytest.raises(ConfigError, match="given alone"):
        LLMGenerator(model=object())


def test_a_model_that_is_not_here_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def no_network(*arguments: Any, **options: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(ConfigError, match=r"'nobody/nothing' is no folder.*local_files_only=False.*'transformer'"):
        fitted(contract_table(60), "nobody/nothing")


def test_a_downloaded_model_is_found_by_its_name(
    folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    snapshot = tmp_path / "models--somebody--tiny" / "snapshots" / ("0" * 40)
    shutil.copytree(folders["gpt2"], snapshot)
    (tmp_path / "models--somebody--tiny" / "refs").mkdir()
    (tmp_path / "models--somebody--tiny" / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    table = contract_table(60)
    rows = drawn(fitted(table, "somebody/tiny", **UNTRAINED), table)
    pd.testing.assert_frame_equal(rows, drawn(fitted(table, folders["gpt2"], **UNTRAINED), table))


def test_weights_that_could_run_code_are_refused(folders: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((Path(folders["gpt2"]) / "config.json").read_text())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ConfigError, match=r"only pytorch_model.bin, which could run code .* convert"):
        fitted(contract_table(60), str(tmp_path))


def test_a_folder_with_adapters_is_refused(folders: dict[str, str], tmp_path: Path) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(folders["llama"])
    adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules="all-linear"))
    adapted.save_pretrained(tmp_path / "adapters")
    with pytest.raises(
        ConfigError, match=r"holds adapters .* first: model.merge_and_unload\(\).save_pretrained\(folder\)"
    ):
        fitted(contract_table(60), str(tmp_path / "adapters"))
    adapted.merge_and_unload().save_pretrained(tmp_path / "merged")
    transformers.AutoTokenizer.from_pretrained(folders["llama"]).save_pretrained(tmp_path / "merged")
    assert fitted(contract_table(60), str(tmp_path / "merged"), **UNTRAINED).uses_cache_


def test_a_folder_that_holds_no_language_model_is_refused(folders: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "resnet"}')
    (tmp_path / "model.safetensors").write_bytes((Path(folders["gpt2"]) / "model.safetensors").read_bytes())
    with pytest.raises(ConfigError, match="cannot be loaded"):
        fitted(contract_table(60), str(tmp_path))


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_an_absent_gpu_is_named(folders: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="finds no CUDA device"):
        fitted(contract_table(60), folders["gpt2"], device="cuda")


@pytest.mark.parametrize("options", [{"max_row_tokens": 30}, {}])
def test_rows_too_long_for_the_model_are_refused_before_training(
    options: dict[str, int], folders: dict[str, str]
) -> None:
    wide = pd.DataFrame({f"a column with a long name {number}": np.arange(60) % 3 for number in range(60)})
    table = Table.from_frame(wide.assign(label=np.resize(["a", "b", "b"], 60)), label="label")
    with pytest.raises(DataError, match=r"a row may take \d+ tokens for its 60 columns; max_row_tokens is"):
        fitted(table, folders["gpt2"], **options)


def test_a_tokenizer_that_loses_letters_is_refused(folders: dict[str, str]) -> None:
    from tokenizers import normalizers

    model = transformers.AutoModelForCausalLM.from_pretrained(folders["gpt2"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders["gpt2"])
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    generator = LLMGenerator(LLMOptions(**FAST), model=model, tokenizer=tokenizer)
    table = Table.from_frame(pd.DataFrame({"x": ["a", "A"] * 20, "label": ["b", "c", "b", "b"] * 10}), label="label")
    with pytest.raises(DataError, match=r"tokenizer cannot write 'A' in column 'x': it reads 'a' back"):
        generator.fit(table, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "temperature=0 is out of range"),
        ({"epochs": -1}, "epochs=-1"),
        ({"device": "gpu"}, "device='gpu' is unknown"),
        ({"lora": 8}, "lora=8 is no truth value"),
        ({"holdout_share": 0.9}, "holdout_share=0.9"),
        ({"model": ""}, "model='' is no name"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LLMOptions(**options)


# --- the process


def test_the_process_is_left_as_it_was(folders: dict[str, str]) -> None:
    import huggingface_hub

    state = accelerate.state
    accelerate.Accelerator(cpu=True, mixed_precision="no")  # the host's own
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    torch.manual_seed(3)

    def seen() -> list[Any]:
        return [
            torch.get_rng_state().tolist(),
            torch.get_num_threads(),
            dict(os.environ),
            {key: str(value) for key, value in state.AcceleratorState._shared_state.items()},
            {key: str(value) for key, value in state.PartialState._shared_state.items()},
            transformers.utils.logging.get_verbosity(),
            transformers.utils.logging.is_progress_bar_enabled(),
            huggingface_hub.utils.are_progress_bars_disabled(),
            huggingface_hub.constants.HF_HUB_OFFLINE,
            logging.getLogger().level,
            list(logging.getLogger().handlers),
            list(warnings.filters),
        ]

    table = contract_table(120)
    before = seen()
    generator = fitted(table, folders["gpt2"], mixed_precision="bf16", **FAST)
    drawn(generator, table, 2)
    after = seen()
    torch.set_num_threads(threads)
    assert after == before


def test_nothing_is_printed(folders: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    table = contract_table(120)
    drawn(fitted(table, folders["gpt2"], lora=True, **FAST), table, 2)
    assert tuple(capfd.readouterr()) == ("", "")


def test_importing_loads_no_torch() -> None:
    program = (
        "import sys, autosynth_llm.hf.generator, autosynth_llm.hf.options; "
        "print(sorted({'torch', 'transformers', 'peft', 'accelerate'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
