"""The pages about benchmarks, made from the result files when the site is built.

Each page says what its script claims, in the script's own words, shows what the file says, and offers both for
download.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pandas as pd
import result_tables as tables
from markdown_table import table
from outside_links import DOCS, ROOT

FOLDER = ROOT / "benchmarks"


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A result file and its page.

    Attributes
    ----------
    name : str
        The CSV file below ``benchmarks/``, without its ending.
    title : str
        Heading and entry of the navigation.
    show : callable
        Rows of the file in, Markdown out.
    script : str
        The script that measured, below ``benchmarks/``; the name's own where none is given.
    told_in : str
        The page of ``docs/`` that tells what follows from it, if there is one.
    """

    name: str
    title: str
    show: Callable[[pd.DataFrame], str]
    script: str = ""
    told_in: str = ""

    @property
    def source(self) -> Path:
        """The script."""
        return FOLDER / (self.script or f"{self.name}.py")

    @property
    def results(self) -> Path:
        """The result file."""
        return FOLDER / f"{self.name}.csv"

    @property
    def page(self) -> str:
        """The place of the page on the site."""
        return f"benchmarks/{self.name.replace('/', '_')}.md"


BENCHMARKS = (
    Benchmark(name="do_no_harm", title="Do no harm: XGBoost", show=tables.harm, told_in="do-no-harm.md"),
    Benchmark(
        name="do_no_harm_autogluon",
        title="Do no harm: AutoGluon",
        show=tables.harm,
        script="do_no_harm.py",
        told_in="do-no-harm.md",
    ),
    Benchmark(
        name="harm/race_leads",
        title="Leads of races",
        show=tables.race_leads,
        script="race_leads.py",
        told_in="do-no-harm.md",
    ),
    Benchmark(name="generator_quality", title="Quality of generators", show=tables.quality, told_in="llm.md"),
    Benchmark(
        name="paper/imbalanced",
        title="The paper: imbalanced",
        show=tables.paper,
        told_in="paper.md",
    ),
    Benchmark(name="paper/spurious", title="The paper: spurious", show=tables.paper, told_in="paper.md"),
    Benchmark(
        name="paper/imbalanced_logistic",
        title="The paper: imbalanced, logistic",
        show=tables.paper,
        script="paper/imbalanced.py",
        told_in="paper.md",
    ),
    Benchmark(
        name="paper/spurious_logistic",
        title="The paper: spurious, logistic",
        show=tables.paper,
        script="paper/spurious.py",
        told_in="paper.md",
    ),
    Benchmark(name="leakage", title="Leakage", show=tables.leakage, told_in="autogluon.md"),
    Benchmark(name="prior_correction", title="Prior correction", show=tables.prior_correction, told_in="how-much.md"),
    Benchmark(name="bias_correction", title="Bias correction", show=tables.bias_correction, told_in="do-no-harm.md"),
    Benchmark(name="scaling_law", title="Scaling law", show=tables.scaling_law, told_in="how-much.md"),
    Benchmark(name="gate_faults", title="Faults the gate catches", show=tables.gate_faults, told_in="gate.md"),
    Benchmark(name="gate_speed", title="Speed of the gate", show=tables.gate_speed, told_in="gate.md"),
    Benchmark(
        name="gate_speed_gx",
        title="Speed of the gate in GX",
        show=tables.gate_speed_gx,
        told_in="gate.md",
    ),
    Benchmark(name="generator_speed", title="Speed of generators", show=tables.generator_speed, told_in="llm.md"),
    Benchmark(name="smote_speed", title="Speed of SMOTE", show=tables.smote_speed),
    Benchmark(name="group_report_speed", title="Speed of group reports", show=tables.group_report_speed),
    Benchmark(name="tune_speed", title="Speed of tune", show=tables.tune_speed, told_in="how-much.md"),
)


def benchmarks() -> tuple[Benchmark, ...]:
    """Return those above, and any other result file beside its script, with its rows as they are."""
    known = {benchmark.name for benchmark in BENCHMARKS}
    others = sorted(path for path in FOLDER.glob("*.csv") if path.stem not in known)
    return (
        *BENCHMARKS,
        *(Benchmark(name=path.stem, title=_in_words(path.stem), show=tables.first_rows) for path in others),
    )


def pages() -> Iterator[tuple[str, str]]:
    """Yield the place and the Markdown of every page, the overview first."""
    yield "benchmarks/index.md", _overview()
    with _own_modules():
        for benchmark in benchmarks():
            yield benchmark.page, _page(benchmark)


def files() -> Iterator[Path]:
    """Yield what the pages offer for download, each file once."""
    yield from dict.fromkeys(path for benchmark in benchmarks() for path in (benchmark.results, benchmark.source))


def navigation() -> list[str | dict[str, str]]:
    """Return the entries of the navigation, the overview first."""
    return ["benchmarks/index.md", *({benchmark.title: benchmark.page} for benchmark in benchmarks())]


def _in_words(stem: str) -> str:
    return stem.replace("_", " ").capitalize()


def _overview() -> str:
    lines = [
        {
            "result": f"[{benchmark.title}]({Path(benchmark.page).name})",
            "claim": _claim(benchmark),
            "what follows from it": _told(benchmark),
        }
        for benchmark in benchmarks()
    ]
    return (
        "# Benchmarks\n\n"
        "One script per claim, with its results beside it. These pages are made from the result files when the site is "
        "built, so that no number on them was typed by hand; what is to be learned from them is told on the pages "
        "named last.\n\n"
        "Public tables are read from a folder of Parquet files, `--data FOLDER`, and are no part of this project.\n\n"
        f"{table(pd.DataFrame(lines))}\n"
    )


def _page(benchmark: Benchmark) -> str:
    rows = pd.read_csv(benchmark.results)
    results, source = (f"{path.relative_to(FOLDER).as_posix()}" for path in (benchmark.results, benchmark.source))
    told = f" What follows from it: {_told(benchmark)}." if benchmark.told_in else ""
    links = f"[{results}]({results}) ({len(rows):,} rows), measured by [{source}]({source})."
    return (
        f"# {benchmark.title}\n\n"
        f"**{_claim(benchmark)}**\n\n"
        f"{links}{told}\n\n"
        f"## Results\n\n{benchmark.show(rows)}\n\n"
        f"## How it was measured\n\n{_method(benchmark)}\n"
    )


def _claim(benchmark: Benchmark) -> str:
    """Return the first paragraph of the script's docstring."""
    first = _docstring(benchmark).partition("\n\n")[0]
    claim = " ".join(first.split()).removeprefix("Claim: ")
    return claim[0].upper() + claim[1:]


def _method(benchmark: Benchmark) -> str:
    """Return the rest of the docstring, its commands as code."""
    paragraphs = _docstring(benchmark).split("\n\n")[1:]
    return "\n\n".join(
        f"```bash\n{dedent(paragraph).strip()}\n```"
        if paragraph.lstrip().startswith(("python ", "OMP_"))
        else paragraph
        for paragraph in paragraphs
    )


def _docstring(benchmark: Benchmark) -> str:
    return ast.get_docstring(ast.parse(benchmark.source.read_text(encoding="utf-8"))) or ""


def _told(benchmark: Benchmark) -> str:
    """Return a link to the page that tells what follows, under its own heading; empty where there is none."""
    if not benchmark.told_in:
        return ""
    heading = (DOCS / benchmark.told_in).read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    return f"[{heading}](../{benchmark.told_in})"


@contextmanager
def _own_modules() -> Iterator[None]:
    """Make the benchmarks' own packages importable, which sum up their results."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield
    finally:
        sys.path.remove(str(FOLDER))
