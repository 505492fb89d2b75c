"""The page of a ComparisonReport: verdict, arms, risk by group, gains, reliability, folds, how to repeat it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autosynth.pages.elements import Part, Verdict, bullets, facts, note, paragraph
from autosynth.pages.gain_section import gain_section
from autosynth.pages.page import Page, Section
from autosynth.pages.palette import SERIES, Look
from autosynth.pages.reliability_section import reliability_section
from autosynth.pages.risk_section import Figures, interval_text, risk_section
from autosynth.pages.table import Cell, table
from autosynth_autogluon.folds_section import folds_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autosynth.group_reports import GroupReport
    from autosynth.reliability import ReliabilityCurve
    from autosynth_autogluon.comparison_report import Arm, ComparisonReport

AFTER_SHIFT = (
    "Every arm after the shift of the prior that suits it best, fitted on real rows that its models left out: what is "
    "left is how well it ranks. This is the comparison that decides."
)
AS_IT_COMES = (
    "The same arms with their probabilities as they come. What differs here may be a mere shift of the prior, which "
    "plain training can have by moving its threshold: read no gain from it."
)

RISKS = ("balanced, after the shift", "worst group, after the shift", "balanced, as it comes")
SCORES = ("AUC", "average precision", "balanced accuracy", "threshold", "fit in s")


def comparison_page(report: ComparisonReport) -> Page:
    """Return the page of a report."""
    synthetic = next(arm for arm in report.arms if arm.uses_synthetic)
    others = [arm.name for arm in report.arms if arm is report.arms[0] or (arm.gain and arm is not synthetic)]
    looks = dict(zip([others[0], synthetic.name, *others[1:]], SERIES, strict=False))  # alike in every figure
    reference = next(arm for arm in report.arms if arm.name == report.reference)
    change = synthetic.shifted.difference
    fair, raw = _risk_sections(report, synthetic, reference, looks)
    sections = [_arms_section(report), fair]
    gains = {arm.name: arm.gain for arm in _gain_order(report.arms) if arm.gain}
    if gains:
        sections.append(gain_section(gains))
    sections.append(raw)
    curves = _curves(synthetic, reference, report.arms[0])
    if curves:
        sections.append(reliability_section(curves, looks=looks))
    sections += [folds_section(report.folds, synthetic.name), _repeat_section(report)]
    return Page(
        title="autosynth fit: AutoGluon with and without synthetic rows",
        lead=_lead(report, synthetic),
        sections=tuple(sections),
        verdict=_verdict(report, synthetic),
        tiles=(
            ("real training rows", report.n_train),
            ("real test rows", report.n_test),
            *(
                [(f"balanced risk, against {report.reference}", _signed(change.balanced_risk.value))]
                if change is not None
                else []
            ),
            ("AUC with synthetic rows", f"{synthetic.report.segments[-1].auc.value:.3f}"),
        ),
    )


def _lead(report: ComparisonReport, synthetic: Arm) -> str:
    tested = f"on {report.n_test:,} real test rows"
    if not report.is_judged:
        return f"No verdict: no synthetic row trained the models of {synthetic.name!r}."
    if report.winner == synthetic.name:
        return f"{synthetic.name!r} does better than {report.reference!r} {tested}."
    if report.winner is not None:
        return f"{report.reference!r}, without synthetic rows, does better than {synthetic.name!r} {tested}."
    return f"{synthetic.name!r} and {report.reference!r} cannot be told apart {tested}: no reason to rebalance."


def _verdict(report: ComparisonReport, synthetic: Arm) -> Verdict:
    if not report.is_judged:
        return Verdict("no verdict", "warn")
    if report.winner == synthetic.name:
        return Verdict("synthetic rows help", "good")
    if report.winner is not None:
        return Verdict("synthetic rows harm", "bad")
    return Verdict("within noise", "none")


def _arms_section(report: ComparisonReport) -> Section:
    names = [f"{arm.name} (reference)" if arm.name == report.reference else arm.name for arm in report.arms]
    risks: list[list[Cell]] = [
        [
            name,
            interval_text(arm.shifted.balanced_risk),
            interval_text(arm.shifted.worst_risk),
            interval_text(arm.report.balanced_risk),
        ]
        for name, arm in zip(names, report.arms, strict=True)
    ]
    scores: list[list[Cell]] = [
        [
            name,
            interval_text(arm.report.segments[-1].auc),
            interval_text(arm.report.segments[-1].average_precision),
            arm.balanced_accuracy,
            arm.threshold,
            round(arm.seconds),
        ]
        for name, arm in zip(names, report.arms, strict=True)
    ]
    parts: list[Part] = [
        paragraph(report.verdict),
        table(["risk in nats", *RISKS], risks, caption="Balanced risk and worst group of all arms"),
        table(["score", *SCORES], scores, caption="AUC, average precision, balanced accuracy and time of all arms"),
        note(
            f"The reference, {report.reference!r}, is the best arm without synthetic rows on the validation rows: the "
            "one to beat. Risks are cross-entropy in nats, lower is better; the other scores are better when higher. "
            "Variants of plain training are one and the same model, so after the shift their figures agree."
        ),
    ]
    return Section(title="Arms side by side", parts=tuple(parts))


def _risk_sections(
    report: ComparisonReport, synthetic: Arm, reference: Arm, looks: dict[str, Look]
) -> tuple[Section, Section]:
    first = report.arms[0]
    others = [arm for arm in report.arms if arm is not synthetic]
    fair = {arm.name: arm.shifted for arm in others if arm is first or _is_other_model(arm, first)}
    raw = {arm.name: arm.report for arm in others if arm is first or arm.gain}
    small = first.report.small_group

    def section(models: dict[str, GroupReport], last: GroupReport, **options: object) -> Section:
        figures: dict[str, Figures] = {**models, synthetic.name: last}
        return risk_section(figures, small_group=small, looks=looks, **options)  # type: ignore[arg-type]

    return (
        section(
            fair,
            synthetic.shifted,
            difference=synthetic.shifted.difference,
            against=reference.name,
            title="Risk by group, after the shift",
            name="shifted",
            introduction=(AFTER_SHIFT,),
        ),
        section(
            raw,
            synthetic.report,
            title="Risk by group, as it comes",
            name="raw",
            introduction=(AS_IT_COMES,),
        ),
    )


def _gain_order(arms: Sequence[Arm]) -> list[Arm]:
    return sorted(arms, key=lambda arm: not arm.uses_synthetic)


def _curves(synthetic: Arm, reference: Arm, first: Arm) -> dict[str, tuple[ReliabilityCurve, ...]]:
    """Return the curves of plain training, of the reference if that is another model, and of the synthetic arm."""
    chosen = [first, *([reference] if _is_other_model(reference, first) else []), synthetic]
    return {arm.name: arm.report.reliability.new for arm in chosen if arm.report.reliability is not None}


def _is_other_model(arm: Arm, first: Arm) -> bool:
    return arm.shifted is not first.shifted  # variants of one model share their shifted report


def _repeat_section(report: ComparisonReport) -> Section:
    parts: list[Part] = []
    if report.notes:
        parts.append(bullets(report.notes))
    asked = {"random_state": "not recorded" if report.random_state is None else str(report.random_state)}
    parts.append(facts({**asked, **report.settings, **report.versions}))
    return Section(title="Notes, and how to repeat it", parts=tuple(parts))


def _signed(number: float) -> str:
    return f"{number:+.3f}".replace("-", "−")
