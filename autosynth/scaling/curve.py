"""ScalingCurve: risk against the number of synthetic rows, the law through it, and what it is held against."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from autosynth.files import AnyPath, write_text
from autosynth.plain_data import to_plain
from autosynth.scaling.law import ScalingLaw
from autosynth.scaling.points import Reference, ScalingPoint
from autosynth.scaling.words import point_line, reference_line, risk_title

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from autosynth.interval import Interval

__all__ = ["ScalingCurve"]


@dataclass(frozen=True, kw_only=True)
class ScalingCurve:
    """What :func:`autosynth.scaling_curve` measured: how the risk falls with N, and when more rows stop paying.

    All models were trained on the same real rows fold by fold, share their oversampled rows, and were scored on the
    same real validation rows that neither they nor the generator saw; the rows of a point are among those of the next.

    Attributes
    ----------
    generator, metric : str
        Whose rows, and what the risk is; lower is better ("roc_auc" stands for 1 - AUC, and so on).
    points : tuple of ScalingPoint
        Risk with N synthetic rows more per group, by rising N.
    real_points : tuple of ScalingPoint
        The same with N real rows in place of the synthetic ones; empty when no real rows were reserved.
    references : tuple of Reference
        Models without augmentation: oversampled only (N = 0), then those without any synthetic row: as they come, with
        the prior corrected and the threshold tuned where that changes anything, and with class weights.
    law : ScalingLaw
        a + b N^-c through the points.
    sentences : tuple of str
        What was found, in plain words.
    n_rows : int
        Real rows that train and validate; those of the reserve are not among them.
    n_reserved : int
        Real rows of the reserve.
    n_folds : int
        Folds that were run, in all repeats.
    failed : mapping of int to str
        Sizes without a point, and why.
    notes : mapping of str to int
        What the generator reported, over all models.
    random_state : int or None
        The seed; None when the caller gave a numpy Generator.
    seconds : float
        Wall time.
    """

    generator: str
    metric: str
    points: tuple[ScalingPoint, ...]
    real_points: tuple[ScalingPoint, ...]
    references: tuple[Reference, ...]
    law: ScalingLaw
    sentences: tuple[str, ...]
    n_rows: int
    n_reserved: int
    n_folds: int
    failed: Mapping[int, str]
    notes: Mapping[str, int]
    random_state: int | None
    seconds: float

    @property
    def a(self) -> Interval:
        """The floor of the law."""
        return self.law.a

    @property
    def b(self) -> Interval:
        """The excess over the floor that the law has at N = 1."""
        return self.law.b

    @property
    def c(self) -> Interval:
        """The exponent of the law."""
        return self.law.c

    @property
    def floor(self) -> Interval:
        """What more rows of this generator lead to: ``a``."""
        return self.law.a

    @property
    def best(self) -> ScalingPoint:
        """The point of least risk; as the best of several, it flatters itself a little."""
        return min(self.points, key=lambda point: point.risk.value)

    def enough(self, gain: float) -> Interval:
        """Return the N from which on a further doubling gains less than ``gain``; see :meth:`ScalingLaw.enough`."""
        return self.law.enough(gain)

    def predict(self, n: float) -> Interval:
        """Return the risk that the law expects at ``n`` rows per group; see :meth:`ScalingLaw.predict`."""
        return self.law.predict(n)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per point and reference.

        Returns
        -------
        DataFrame
            ``what`` ("synthetic", "real", or the reference's name), ``n`` (0 for references), ``risk`` with ``low``
            and ``high``, ``standard_error``, ``n_added`` (rows added to a training part), ``seconds``, and ``law`` (the
            risk that the law expects there); missing where there is none.
        """
        import pandas as pd

        rows: list[dict[str, Any]] = [
            {"what": each.name, "n": 0, "risk": each.risk.value, "low": each.risk.low, "high": each.risk.high}
            for each in self.references
        ]
        for what, points in (("synthetic", self.points), ("real", self.real_points)):
            rows += [
                {
                    "what": what,
                    "n": point.n,
                    "risk": point.risk.value,
                    "low": point.risk.low,
                    "high": point.risk.high,
                    "standard_error": point.standard_error,
                    "n_added": point.n_added,
                    "seconds": point.seconds,
                    "law": self.law.predict(point.n).value if what == "synthetic" else math.nan,
                }
                for point in points
            ]
        columns = ["what", "n", "risk", "low", "high", "standard_error", "n_added", "seconds", "law"]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as plain data; what is not finite is None."""
        facts = {each.name: to_plain(getattr(self, each.name)) for each in fields(self) if each.name != "law"}
        return {**facts, "law": self.law.to_dict()}

    def to_json(self, path: AnyPath | None = None) -> str:
        """Return the curve as JSON, and write it to ``path`` when one is given."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False)
        if path is not None:
            write_text(text, path)
        return text

    def plot(self, path: AnyPath) -> Path:
        """Draw risk against N, and its excess over the floor on two logarithmic axes, with both reference lines.

        Parameters
        ----------
        path : path
            Ends in .png or .svg, which says what is written.

        Raises
        ------
        ConfigError
            If the name ends otherwise.
        OutputError
            If no file can be written there.
        """
        from autosynth.scaling.plot import plot_curve

        return plot_curve(self, path)

    def __str__(self) -> str:
        lines = [
            f"{risk_title(self.metric)} against N synthetic rows by {self.generator!r} per group: {self.n_rows:,} real "
            f"rows in {self.n_folds} folds, in {self.seconds:.1f} s; {100 * self.law.level:g} % limits"
        ]
        lines += [reference_line(each) for each in self.references]
        lines += [point_line(point, "synthetic") for point in self.points]
        lines += [point_line(point, "real") for point in self.real_points]
        return "\n".join([*lines, *self.sentences])
