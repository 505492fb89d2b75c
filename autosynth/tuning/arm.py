"""Arms: what is done to the training rows before a model learns from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from autosynth.exceptions import ConfigError
from autosynth.options import check_flag, check_number
from autosynth.plan import check_amounts

__all__ = ["CLASS_WEIGHTS", "NONE", "Arm", "arms_of"]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One treatment of the training rows: none, weights for the small groups, or synthetic rows of a generator.

    Attributes
    ----------
    generator : str or None
        Whose rows are added, by its name in the race; None adds none.
    ratio : float
        Oversampling brings every smaller group to this share of the largest, above 0 to 1.
    augment : int
        N, further rows for every group.
    alpha : float or None
        Weight of the augmented part in the training objective; None is N / (n_max + N).
    synthetic_weight : float
        How much a synthetic row counts against a real one.
    class_weights : bool
        Without a generator: whether the rows of a group with n_g rows count n_max / n_g times those of the largest
        with n_max, which is what full balance does with copies.

    Examples
    --------
    >>> print(Arm(generator="smote", ratio=0.5, synthetic_weight=0.3))
    smote, ratio 0.5, weight 0.3
    >>> print(Arm(generator="smote", augment=200))
    smote, ratio 1, 200 more per group
    """

    generator: str | None = None
    ratio: float = 1.0
    augment: int = 0
    alpha: float | None = None
    synthetic_weight: float = 1.0
    class_weights: bool = False

    def __post_init__(self) -> None:
        check_number("ratio", self.ratio, above=0.0, high=1.0)
        check_amounts(self.augment, self.alpha, self.synthetic_weight)
        check_flag("class_weights", self.class_weights)
        if self.generator is not None and self.class_weights:
            raise ConfigError(
                f"an arm with rows of {self.generator!r} cannot have class_weights=True as well. Rows or weights "
                "balance the groups, each in full; race them as two arms."
            )
        amounts = (self.ratio, self.augment, self.alpha, self.synthetic_weight)
        if self.generator is None and amounts != (1.0, 0, None, 1.0):
            raise ConfigError("an arm without a generator has no ratio, augment, alpha or synthetic_weight. Name one.")

    @property
    def is_synthetic(self) -> bool:
        """Whether synthetic rows are added."""
        return self.generator is not None

    @property
    def name(self) -> str:
        """What people call the arm, such as "smote, ratio 0.5, weight 0.3"; no two arms of a race share a name."""
        if self.generator is None:
            return "class weights" if self.class_weights else "none"
        parts = [self.generator, f"ratio {self.ratio:.12g}"]
        if self.augment:
            parts.append(f"{self.augment} more per group")
        if self.alpha is not None:
            parts.append(f"alpha {self.alpha:.12g}")
        if self.synthetic_weight != 1:
            parts.append(f"weight {self.synthetic_weight:.12g}")
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return self.name


NONE = Arm()
CLASS_WEIGHTS = Arm(class_weights=True)


def arms_of(
    generators: Iterable[str],
    ratios: Sequence[float] = (1.0,),
    augment: Sequence[int] = (0,),
    alphas: Sequence[float | None] = (None,),
    synthetic_weights: Sequence[float] = (1.0,),
) -> tuple[Arm, ...]:
    """Return the arms of a race: none, class weights, and every combination for every generator, each once.

    Where ``augment`` is 0 there is nothing for an alpha to weigh, so that all alphas give the same arm.

    Raises
    ------
    ConfigError
        If a value is out of its range, an amount is given as an empty sequence or as a bare number, or alphas are given
        and no augment is above 0.

    Examples
    --------
    >>> [arm.name for arm in arms_of(["ros"], ratios=(0.5, 1.0))]
    ['none', 'class weights', 'ros, ratio 0.5', 'ros, ratio 1']
    """
    amounts: dict[str, Any] = {
        "ratios": ratios,
        "augment": augment,
        "alphas": alphas,
        "synthetic_weights": synthetic_weights,
    }
    for name, values in amounts.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise ConfigError(f"{name}={values!r} is no list of values to try. Give a list or tuple of at least one.")
    _check_alphas(alphas, augment)
    found = [NONE, CLASS_WEIGHTS]
    for generator, ratio, n_more, alpha, weight in product(generators, ratios, augment, alphas, synthetic_weights):
        check_amounts(n_more, None, weight)
        found.append(
            Arm(
                generator=generator,
                ratio=float(ratio),
                augment=int(n_more),
                alpha=float(alpha) if n_more and alpha is not None else None,
                synthetic_weight=float(weight),
            )
        )
    return tuple(dict.fromkeys(found))


def _check_alphas(alphas: Sequence[float | None], augment: Sequence[int]) -> None:
    """Raise unless every alpha is a weight, and there is something for them to weigh."""
    for alpha in alphas:
        check_amounts(1, alpha, 1.0)
    if any(alpha is not None for alpha in alphas) and all(n_more == 0 for n_more in augment):
        raise ConfigError(
            f"alphas={alphas!r} weigh the rows of augment, and augment={augment!r} adds none. Give numbers of rows to "
            "augment with, such as [0, 200], or leave alphas out."
        )
