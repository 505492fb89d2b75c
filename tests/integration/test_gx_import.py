"""Great Expectations is loaded when it is used, and leaves the host program as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("great_expectations")

FACTS = """
import json, logging, os, sys, threading, warnings

def facts():
    loggers = logging.root.manager.loggerDict.items()
    levels = {name: logger.level for name, logger in loggers if isinstance(logger, logging.Logger) and logger.level}
    return {
        "show": warnings.showwarning is before_show,
        "filters": [str(each) for each in warnings.filters],
        "levels": {name: level for name, level in levels.items() if name.startswith(("great", "host"))},
        "root": [logging.root.level, len(logging.root.handlers)],
        "environment": dict(os.environ),
        "threads": threading.active_count(),
    }

before_show = warnings.showwarning
logging.getLogger("host").setLevel(15)
warnings.filterwarnings("error", message="of the host")
"""


def run(program: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", FACTS + program],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )


def test_importing_the_package_loads_no_great_expectations(tmp_path):
    done = run("import autosynth_gx; print([name for name in sys.modules if name.startswith('great')])", tmp_path)
    assert done.stdout.strip() == "[]", done.stderr


def test_using_it_changes_no_warnings_loggers_or_environment_of_the_host(tmp_path):
    program = """
import autosynth_gx, sklearn.ensemble
from autosynth.toy import shortcut_table
before = facts()
rows = shortcut_table(200)
autosynth_gx.run_gate(autosynth_gx.build_suite(rows, label="ill", self_test=False), rows)
after = facts()
assert "great_expectations" in sys.modules
print(json.dumps([name for name in before if before[name] != after[name]]))
logging.captureWarnings(True)
assert warnings.showwarning is not before_show, "the host can no longer ask logging for its warnings"
logging.captureWarnings(False)
warnings.warn("seen by the host")
"""
    done = run(program, tmp_path)
    assert json.loads(done.stdout) == [], done.stderr
    assert "seen by the host" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr  # nothing of the import


def test_it_can_be_used_where_warnings_are_errors(tmp_path):
    done = run("warnings.simplefilter('error'); import autosynth_gx; autosynth_gx.run_gate; print('used')", tmp_path)
    assert done.stdout.strip() == "used", done.stderr


def test_without_the_extra_the_message_says_how_to_bring_it(tmp_path):
    program = """
import importlib.util
sys.modules["great_expectations"] = None
found = importlib.util.find_spec
from autosynth import extras
extras.find_spec = lambda name: None if name == "great_expectations" else found(name)
import autosynth_gx
try:
    autosynth_gx.build_suite
except ImportError as error:
    print(type(error).__name__, error)
"""
    done = run(program, tmp_path)
    assert done.stdout.startswith("MissingExtraError"), done.stderr
    assert "pip install 'autosynth[gx]'" in done.stdout


def test_a_gate_opens_no_connection_writes_nowhere_and_prints_nothing(tmp_path):
    program = """
import socket, tempfile
from pathlib import Path
def refuse(*args, **kwargs): raise AssertionError("a connection was asked for")
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refuse)
socket.getaddrinfo = socket.gethostbyname = refuse
def files(): return sorted(str(path) for folder in folders for path in Path(folder).rglob("*"))
folders = [os.environ["HOME"], os.getcwd(), tempfile.gettempdir()]
before = files()
from autosynth_gx import build_suite, load_suite, run_gate, save_suite
from autosynth.toy import shortcut_table
suite = build_suite(shortcut_table(300), label="ill")
result = run_gate(suite, shortcut_table(300, random_state=1), docs_dir="../docs")
assert result.passed, result
assert result.docs_page.is_file()
assert files() == before, sorted(set(files()) - set(before))
"""
    folders = {name: tmp_path / name for name in ("home", "cwd", "tmp")}
    for folder in folders.values():
        folder.mkdir()
    done = run(program, folders["cwd"], HOME=str(folders["home"]), TMPDIR=str(folders["tmp"]))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
