"""The map of rows: real and synthetic ones on one plane, then group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from autosynth.pages.elements import Part, grid, legend, note, subheading
from autosynth.pages.figure import figure
from autosynth.pages.numbers import percent_text
from autosynth.pages.page import Section
from autosynth.pages.palette import REAL, SYNTHETIC
from autosynth.pages.row_map import Floats, RowMap
from autosynth.pages.words import group_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from autosynth.checks.evidence import Evidence

MAX_PANELS = 6
DOT, CROSS = 2.6, 2.3  # half widths in pixels
KEYS = [("real-dot", "real rows"), ("synthetic-cross", "synthetic rows")]


def map_section(evidence: Evidence) -> Section:
    """Return the section: one map of all rows, and one of each group with the most synthetic rows."""
    title = "Map of the rows"
    rows = RowMap.of(evidence)
    if rows is None:
        return Section(title=title, parts=("There are too few rows, or columns, to draw a map.",))
    spans = _spans(rows)
    whole = figure(
        lambda canvas: _draw(canvas, rows.real, rows.synthetic, spans),
        name="map",
        label=f"Map of {len(rows.real)} real rows (dots) and {len(rows.synthetic)} synthetic rows (crosses). "
        "Synthetic rows far from all real ones, or real ones without synthetic ones near, are worth a look.",
        width=680,
        height=430,
        shrinks=True,
    )
    parts: list[Part] = [
        "Where crosses fill the same area as dots, and no more, synthetic rows cover what real rows do.",
        *_collapsed(rows),
        legend(KEYS),
        whole,
        note(_how_to_read(rows)),
        *_by_group(evidence, rows, spans),
    ]
    return Section(title=title, parts=tuple(parts))


def _collapsed(rows: RowMap) -> list[str]:
    """Say on how many points the crosses lie where several lie on one, which no map shows."""
    n_dots, n_crosses = (len(np.unique(points.round(6), axis=0)) for points in (rows.real, rows.synthetic))
    if n_crosses == len(rows.synthetic):
        return []
    return [
        f"The {len(rows.synthetic):,} crosses lie on {n_crosses:,} distinct point{'s' * (n_crosses > 1)}, the "
        f"{len(rows.real):,} dots on {n_dots:,}."
    ]


def _how_to_read(rows: RowMap) -> str:
    return (
        "The two directions in which the real rows differ most (principal components of ranks and of category values). "
        f"They hold {percent_text(rows.explained)} of the variance, so points close here may be far apart in other "
        f"columns. Drawn: {len(rows.real):,} of {rows.n_real:,} real rows and {len(rows.synthetic):,} of "
        f"{rows.n_synthetic:,} synthetic ones; of rare groups, relatively more."
    )


def _by_group(evidence: Evidence, rows: RowMap, spans: Any) -> list[Markup]:
    made = np.bincount(evidence.group_codes, minlength=len(evidence.table.groups))
    codes = [int(code) for code in np.argsort(-made, kind="stable")[:MAX_PANELS] if made[code]]
    if len(evidence.table.groups) < 2 or not codes:
        return []
    panels = [_panel(evidence, rows, spans, code) for code in codes]
    left_out = int((made > 0).sum()) - len(codes)
    rest = [note(f"{left_out:,} groups with fewer synthetic rows are not drawn.")] if left_out else []
    return [subheading("Within groups"), grid(*panels), *rest]


def _panel(evidence: Evidence, rows: RowMap, spans: Any, code: int) -> Markup:
    group = group_words(evidence.table.groups[code])
    real, synthetic = rows.real[rows.real_groups == code], rows.synthetic[rows.synthetic_groups == code]
    return figure(
        lambda canvas: _draw(canvas, real, synthetic, spans),
        name=f"map-group-{code}",
        label=f"Map of the rows of {group}: {len(real)} real ones (dots), {len(synthetic)} synthetic ones (crosses).",
        width=310,
        height=200,
        title=group,
        subtitle=f"{len(real):,} real, {len(synthetic):,} synthetic rows drawn",
    )


def _spans(rows: RowMap) -> list[tuple[float, float]]:
    both = np.vstack([rows.real, rows.synthetic])
    margins = 0.04 * (np.ptp(both, axis=0) + 1e-9)
    return list(zip((both.min(axis=0) - margins).tolist(), (both.max(axis=0) + margins).tolist(), strict=True))


def _draw(canvas: Figure, real: Floats, synthetic: Floats, spans: Any) -> None:
    canvas.set_layout_engine("none")  # nothing stands around the map, so that its pixels are known
    axes = canvas.add_axes((0.002, 0.004, 0.996, 0.992))
    axes.set_xlim(*spans[0])
    axes.set_ylim(*spans[1])
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    layers = [(real, "dot", REAL.colour), (synthetic, "cross", SYNTHETIC.colour)]
    for points, shape, colour in sorted(layers, key=lambda layer: -len(layer[0])):  # the few on top of the many
        _marks(axes, points, shape, colour)


def _marks(axes: Axes, points: Floats, shape: str, colour: str) -> None:
    """Draw all points as one path, which takes a tenth of the bytes of one element per point."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    from matplotlib.transforms import IdentityTransform

    if not len(points):
        return
    places = axes.transData.transform(points)
    if shape == "dot":  # a line of no length with round ends
        vertices, width = np.stack([places, places], axis=1), 2 * DOT
    else:
        arms = CROSS * np.array([[-1, -1], [1, 1], [-1, 1], [1, -1]])
        vertices, width = places[:, None, :] + arms, 1.2
    codes: Any = np.tile([Path.MOVETO, Path.LINETO], vertices.shape[0] * vertices.shape[1] // 2)
    path = Path(vertices.reshape(-1, 2), codes)
    path.should_simplify = False  # which would drop the lines of no length
    axes.add_patch(
        PathPatch(
            path,
            transform=IdentityTransform(),
            fill=False,
            edgecolor=colour,
            linewidth=width,
            alpha=0.45 if shape == "dot" else 0.8,
            capstyle="round",
        )
    )
