from __future__ import annotations

import datetime as dt
import json
import operator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autosynth
from autosynth import Rule, Table
from autosynth.checks.batch import Batch
from autosynth.checks.families import FAMILIES
from autosynth.checks.family import Context
from autosynth.checks.reference import Reference
from autosynth.checks.rule_record import RuleRecord
from autosynth.checks.rules import COMPARISONS, as_rule
from autosynth.exceptions import ConfigError


def stays(n_rows: int, seed: int = 0, broken: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    admitted = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 600, n_rows), unit="D")
    days = rng.integers(0, 30, n_rows)
    days[rng.random(n_rows) < broken] = -3
    return pd.DataFrame(
        {
            "admitted": admitted,
            "discharged": admitted + pd.to_timedelta(days, unit="D"),
            "age": rng.integers(18, 90, n_rows),
            "length of stay": pd.to_timedelta(days, unit="D"),
            "ward": rng.choice(["heart", "lung"], n_rows),
            "ill": np.where(np.arange(n_rows) % 3, "no", "yes"),
        }
    )


def verdict(real: pd.DataFrame, synthetic: pd.DataFrame, *rules: str) -> dict[str, Any]:
    reference = Reference.of(Table.from_frame(real, label="ill"), rules=rules)
    context = Context(reference, Batch.read(synthetic, reference))
    return {result.subject: result for result in FAMILIES["rules"].ask(context)}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("start <= end", Rule("start", "<=", "end")),
        ("start<end", Rule("start", "<", "end")),
        ("`length of stay` >= 0", Rule("length of stay", ">=", 0)),
        ("18 <= age", Rule("age", ">=", 18)),
        ("rate < -1.5e-3", Rule("rate", "<", -0.0015)),
        ("ward != 'heart''s'", Rule("ward", "!=", "heart's", constant=True)),
        ('ward == "heart"', Rule("ward", "==", "heart", constant=True)),
        ("smoker == true", Rule("smoker", "==", True)),
        ("`2020` > `a``b`", Rule("2020", ">", "a`b")),
        ("nan == inf", Rule("nan", "==", "inf")),
        ("größe >= höhe_2", Rule("größe", ">=", "höhe_2")),
    ],
)
def test_rules_are_read_from_text_and_written_back(text: str, rule: Rule) -> None:
    assert Rule.parse(text) == rule == as_rule(text)
    assert Rule.parse(str(rule)) == rule
    assert Rule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


@given(
    st.text(min_size=1, max_size=12),
    st.sampled_from(list(COMPARISONS)),
    st.one_of(
        st.text(max_size=12),
        st.integers(-(10**9), 10**9),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
    ),
)
@settings(deadline=None)
def test_any_rule_survives_text_and_json(left: str, op: Any, right: Any) -> None:
    rule = Rule(left, op, right, constant=True)
    assert Rule.parse(str(rule)) == rule
    assert Rule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule
    between = Rule(left, op, str(right) or "x")
    assert Rule.parse(str(between)) == between


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age",
        "age >",
        "a = b",
        "age of start <= end",
        "a < b < c",
        "a <> b",
        "__import__('os') < 1",
        "a =< b",
        "`a < 3",
    ],
)
def test_what_is_no_comparison_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="start <= end"):
        Rule.parse(text)


def test_other_mistakes_are_refused_too() -> None:
    with pytest.raises(ConfigError, match="compares two constants"):
        Rule.parse("1 < 2")
    with pytest.raises(ConfigError, match="op='=<' is unknown"):
        Rule("a", "=<", "b")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="finite number"):
        Rule("a", "<", float("nan"))
    with pytest.raises(ConfigError, match="finite number"):
        Rule("a", "<", None)
    with pytest.raises(ConfigError, match="names no column"):
        Rule(["a"], "<", 1)  # type: ignore[arg-type]
    for state in (
        {},
        {"left": "a"},
        {"left": "a", "op": "<", "right": 1, "constant": 1},
        {**Rule("a", "<", 1).to_dict(), "op": 3},
    ):
        with pytest.raises(ConfigError, match=r"is no rule|is unknown"):
            Rule.from_dict(state)


@given(
    st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=20),
    st.lists(st.one_of(st.none(), st.floats(-5, 5)), min_size=1, max_size=20),
    st.sampled_from(list(COMPARISONS)),
    st.sampled_from(["float64", "Int64", "Float32", "object"]),
)
@settings(deadline=None)
def test_rows_keep_a_rule_as_plain_python_compares_them(left: list, right: list, op: Any, dtype: str) -> None:
    n_rows = min(len(left), len(right))
    frame = pd.DataFrame({"right": pd.Series(right[:n_rows], dtype="float64")})
    frame["left"] = pd.Series(left[:n_rows], dtype="float64" if dtype == "object" else dtype)
    compare = {
        "<=": operator.le,
        ">=": operator.ge,
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        ">": operator.gt,
    }
    expected = [a is None or b is None or compare[op](a, b) for a, b in zip(left, right, strict=False)]
    assert Rule("left", op, "right").holds(frame).tolist() == expected
    assert Rule("left", op, 2).holds(frame).tolist() == [a is None or compare[op](a, 2) for a in left[:n_rows]]


def test_every_kind_is_compared_with_its_like_and_with_constants() -> None:
    frame = stays(50)
    frame["zoned"] = frame["admitted"].dt.tz_localize("Europe/Vienna")
    frame["grade"] = pd.Categorical(frame["age"] % 3, categories=[2, 1, 0])
    frame["open"] = frame["age"] > 40
    kept = {
        "admitted <= discharged": True,
        "admitted >= '2020-01-01'": True,
        "admitted > '2020-01-01T00:00:00+05:00'": True,
        "zoned < '2030-06-01'": True,
        "`length of stay` >= '0 days'": True,
        "`length of stay` < '30 days'": True,
        "grade <= age": True,
        "grade < 3": True,
        "open <= age": True,
        "open == false": False,
        "ward != 'kidney'": True,
        "ward <= ill": True,
    }
    for text, whole in kept.items():
        assert Rule.parse(text).holds(frame).all() == whole, text
    assert Rule("admitted", "<", dt.date(2030, 1, 1)).holds(frame).all()
    assert Rule("length of stay", "<", dt.timedelta(days=30)).holds(frame).all()
    assert Rule("admitted", "<", np.datetime64("2030-01-01")).holds(frame.convert_dtypes(dtype_backend="pyarrow")).all()


@pytest.mark.parametrize(
    "text", ["ward < age", "age < 'heart'", "admitted < 3", "ward < 3", "admitted <= age", "age < '2020-01-01'"]
)
def test_different_kinds_are_not_compared(text: str) -> None:
    with pytest.raises(ConfigError, match=r"different kinds.*(texts|numbers|dates)"):
        Rule.parse(text).holds(stays(10))


def test_messages_say_what_would_do() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'ward'"):
        Rule.parse("wrad != 'heart'").holds(stays(10))
    with pytest.raises(ConfigError, match="Write 2020-01-31"):
        Rule.parse("admitted < 'soon'").holds(stays(10))
    with pytest.raises(ConfigError, match="Write 3 days"):
        Rule.parse("`length of stay` < 'soon'").holds(stays(10))


def test_rows_without_values_keep_every_rule() -> None:
    frame = pd.DataFrame({"a": [None, None], "b": ["x", None], "c": [np.nan, 1.0]})
    for text in ("a < b", "a > c", "b == a", "a < 3", "a > '2020-01-01'"):
        assert Rule.parse(text).holds(frame).all()
    assert Rule.parse("c < 3").holds(frame.head(0)).shape == (0,)


def test_a_tenth_of_broken_rows_fails_and_says_where() -> None:
    results = verdict(stays(500), stays(400, 1, broken=0.1), "admitted <= discharged", "age >= 18")
    broken = results["admitted <= discharged"]
    assert (broken.status, broken.severity) == ("failed", "critical")
    assert broken.observed == pytest.approx(0.1, abs=0.05)
    assert broken.limit == 0
    assert {offender.name for offender in broken.offenders} == {"ill=no", "ill=yes"}
    assert "allowed" in broken.message
    assert results["age >= 18"].status == "passed"


def test_as_many_rows_may_break_a_rule_as_real_ones_do() -> None:
    for seed in range(10):
        results = verdict(stays(900, seed, broken=0.02), stays(400, 100 + seed, broken=0.02), "admitted <= discharged")
        assert results["admitted <= discharged"].passed
    worse = verdict(stays(900, broken=0.02), stays(400, 1, broken=0.1), "admitted <= discharged")
    assert not worse["admitted <= discharged"].passed


def test_the_limit_follows_the_mix_of_groups() -> None:
    real = stays(900)
    late = real["ill"] == "yes"
    real.loc[late & (real.index % 8 == 0), "age"] = 17
    ill = real[late].head(150)
    assert verdict(real, ill, "age >= 18")["age >= 18"].passed
    well = real[~late].head(150).copy()
    well.loc[well.index[:30], "age"] = 17
    assert not verdict(real, well, "age >= 18")["age >= 18"].passed


@pytest.mark.parametrize("n_broken", [0, 1])
def test_where_no_real_row_breaks_a_rule_none_may(n_broken: int) -> None:
    made = stays(400, 1)
    made.loc[: n_broken - 1, "age"] = 17
    (found,) = verdict(stays(500), made, "age >= 18").values()
    assert (found.passed, found.limit) == (not n_broken, 0.0)


def test_a_rule_that_more_than_a_twentieth_of_the_real_rows_break_is_a_mistake() -> None:
    real = stays(100).assign(age=[17] * 5 + [40] * 95)
    assert verdict(real, stays(100, 1), "age >= 18")["age >= 18"].passed
    with pytest.raises(ConfigError, match=r"broken by 6 of 100 real rows \(6\.0%\), and at most 5% may"):
        verdict(real.assign(age=[17] * 6 + [40] * 94), stays(100, 1), "age >= 18")


def test_a_text_that_lost_its_quotes_is_named() -> None:
    with pytest.raises(ConfigError, match=r"'heart', which is no column\..* Quote texts: ward == 'heart'"):
        Rule.parse("ward == heart").holds(stays(10))
    with pytest.raises(ConfigError, match="which is no column") as caught:
        Rule.parse("ward == kidney").holds(stays(10))
    assert "Quote" not in str(caught.value)


def test_a_rule_that_most_real_rows_break_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"broken by .* the wrong way round"):
        verdict(stays(100), stays(100, 1), "discharged < admitted")
    with pytest.raises(ConfigError, match="the wrong way round"):
        autosynth.check(stays(100), stays(100, 1), label="ill", rules=["discharged < admitted"])


def test_a_record_of_a_rule_survives_json_and_refuses_anything_else() -> None:
    record = RuleRecord.of(Rule.parse("admitted <= discharged"), Table.from_frame(stays(900, broken=0.03), label="ill"))
    assert sum(record.n_broken) > 20
    state = json.loads(json.dumps(record.to_dict()))
    assert RuleRecord.from_dict(state) == record
    for damaged in (
        {},
        {**state, "n_broken": [1.5]},
        {**state, "n_broken": [True]},
        {**state, "rule": {}},
        {**state, "n_broken": "12"},
    ):
        with pytest.raises(ConfigError):
            RuleRecord.from_dict(damaged)


def test_a_record_of_other_rows_is_an_error_and_no_pass() -> None:
    reference = Reference.of(Table.from_frame(stays(100), label="ill"), rules=["age >= 18"])
    (record,) = reference.rules
    for counts in ((0,), (0, 0, 0), (0, 10_000)):
        damaged = replace(reference, rules=(replace(record, n_broken=counts),))
        (result,) = FAMILIES["rules"].ask(Context(damaged, Batch.read(stays(100, 1), damaged)))
        assert result.status == "error"
        assert "counts other rows" in result.message


def test_check_takes_rules_as_text_or_as_rules() -> None:
    rule = "admitted <= discharged"
    for rules in ([rule], [Rule.parse(rule)], rule, Rule.parse(rule)):
        report = autosynth.check(stays(300), stays(300, 1, broken=0.2), label="ill", rules=rules)
        assert {result.subject for result in report.failures if result.name == "rules"} == {rule}
