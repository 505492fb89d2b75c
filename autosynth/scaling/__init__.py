"""Scaling: how the risk falls with the number of synthetic rows, and when more of them stop paying."""

from autosynth.scaling.curve import ScalingCurve
from autosynth.scaling.law import ScalingLaw
from autosynth.scaling.measure import scaling_curve
from autosynth.scaling.points import Reference, ScalingPoint

__all__ = ["Reference", "ScalingCurve", "ScalingLaw", "ScalingPoint", "scaling_curve"]
