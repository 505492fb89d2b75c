"""The examples run offline, as their users run them, and what they print is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"

# A socket that is asked for another machine refuses; warnings would puzzle the reader of an example.
OFFLINE = """
import runpy, socket, sys
def refuse(self, address):
    raise OSError(f"an example reached for the network: {address}")
socket.socket.connect = refuse
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the source tree")


def run(name: str, *options: str, folder: Path, code: int = 0) -> str:
    """Run an example in a folder of its own, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", OFFLINE, str(FOLDER / name), *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == code, done.stderr
    assert done.stderr == ""
    return done.stdout


def row(printed: str, name: str) -> list[float]:
    """Return the numbers of the line of a table that a name opens."""
    found = re.search(rf"^ *{re.escape(name)} +(-?\d.*)$", printed, re.MULTILINE)
    assert found, f"no line {name!r} in:\n{printed}"
    return [float(number) for number in found[1].split()]


def made(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_imbalanced_classification_finds_the_rare_class_and_says_where_the_gain_is_from(tmp_path: Path) -> None:
    printed = run("imbalanced_classification.py", folder=tmp_path)
    assert "178 benign, 15 malignant" in printed
    advised = re.search(r"^ *plain .*\n *(.+?) +0\.\d+ +\d+ +\d+$", printed, re.MULTILINE)
    assert advised
    (accuracy, missed, _), (best_accuracy, best_missed, _) = row(printed, "plain"), row(printed, advised[1])
    assert advised[1].startswith("none")
    assert "No synthetic rows; " in printed
    assert best_missed < missed / 3
    assert best_accuracy > accuracy
    assert best_missed < row(printed, "balanced with smote")[1] < missed
    assert "are a mere shift of the prior" in printed
    assert made(tmp_path) == ["autosynth-example/test.html", "autosynth-example/tuning.html"]


def test_spurious_correlation_shows_who_pays_and_what_each_repair_is_worth(tmp_path: Path) -> None:
    printed = run("spurious_correlation.py", "--out", "pages", folder=tmp_path)
    assert row(printed, "ill=yes, hospital=north")[2] < 0.1  # hardly one of them is found
    plain, weighted, repaired = (row(printed, name) for name in ("plain", "group weights", "rows by independent"))
    lean, worst, balanced, auc, auc_elsewhere = range(5)
    assert abs(repaired[lean]) < 0.5 < weighted[lean] < plain[lean]
    for risk in (worst, balanced):
        assert repaired[risk] < weighted[risk] < plain[risk]
    assert repaired[auc] < plain[auc]  # the price
    assert repaired[auc_elsewhere] > plain[auc_elsewhere] + 0.05
    assert row(printed, "without the column")[lean] == 0
    assert "come from better ranking, which no shift gives" in " ".join(printed.split())
    assert made(tmp_path) == ["pages/groups.html"]


def test_quality_gate_lets_good_rows_through_and_refuses_bad_ones_both_ways(tmp_path: Path) -> None:
    printed = run("quality_gate.py", "--out", "gate", folder=tmp_path)
    assert [int(code) for code in re.findall(r"exit code (\d)", printed)] == [0, 1, 0, 1]
    for fault in ("held_out_exact_copies of all rows", "limits of pressure", "label_fidelity of all classes"):
        assert f"critical: {fault}" in printed
    assert "21 of 21 expectations are met" in printed
    assert printed.endswith("The gate let the good rows through and refused the bad ones.\n")
    assert made(tmp_path) == ["gate/bad.html", "gate/good.html", "gate/suite.json"]


def test_quality_gate_as_a_step_of_a_pipeline_answers_with_its_exit_code(tmp_path: Path) -> None:
    printed = run("quality_gate.py", "--batch", "bad", folder=tmp_path, code=1)
    assert "limits of pressure" in printed
    assert made(tmp_path) == ["autosynth-example/bad.html"]


def test_every_example_is_tested_and_says_how_to_run_it() -> None:
    names = sorted(path.name for path in FOLDER.glob("*.py"))
    tests = Path(__file__).read_text(encoding="utf-8")
    for name in names:
        assert f'run("{name}"' in tests, f"{name} has no test"
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert f"python examples/{name}" in text.partition('"""')[2].partition('"""')[0]
    assert len(names) >= 3
