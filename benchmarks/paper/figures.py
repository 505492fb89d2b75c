"""Figures (a) and (b): what is measured and drawn for one setting."""

from __future__ import annotations

from quality.scores import SCORES

from paper.cases import cases
from paper.drawing import draw_fair, draw_ratios
from paper.measure import measure
from paper.results import KEY, Results
from paper.running import opal_of, parse_arguments, run_cases

RATIOS = (4, 9, 18)
FEWER_ELSEWHERE = 2  # seeds less at ratios other than the recorded one, to keep a run short
COLUMNS = (
    *KEY, "comparison", "arm", "shift", "status", "n_real", "n_added", "n_wanted", *SCORES, "cpu_s",
)  # fmt: skip


def measure_and_draw(setting: str, doc: str | None, script: str) -> None:
    """Run one setting from the command line: measure what is missing, then draw both pictures."""
    arguments = parse_arguments(doc, script, ratios=RATIOS)
    results = Results(arguments.out, COLUMNS)
    if not arguments.plot_only:
        n_elsewhere = max(1, arguments.seeds - FEWER_ELSEWHERE)
        opal = opal_of(arguments)
        wanted = cases(setting, opal, arguments.ratios, arguments.seeds, arguments.tables, n_elsewhere)
        run_cases(
            wanted,
            results,
            lambda case: measure(case, arguments.generators, arguments.learner, fair=case.is_at_recorded_ratio),
        )
    scores = results.read()
    draw_ratios(scores, arguments.out.with_suffix(".png"), setting, arguments.learner)
    draw_fair(scores, arguments.out.with_name(f"{arguments.out.stem}_fair.png"), setting, arguments.learner)
