"""Results of checks as plain data inside a result of Great Expectations, and back."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from autosynth import CheckResult
from autosynth.checks.result import Offender

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_record(result: CheckResult) -> dict[str, Any]:
    """Return a result as data for JSON; NaN, which JSON has not, as None."""
    record = asdict(result)
    record["offenders"] = [_without_nan(asdict(offender)) for offender in result.offenders]
    return {**_without_nan(record), "status": result.status}


def from_record(record: Mapping[str, Any]) -> CheckResult:
    """Return the result that :func:`to_record` made data of."""
    fields = {name: value for name, value in record.items() if name != "status"}
    offenders = tuple(
        Offender(str(offender["name"]), _number(offender["observed"]), _number(offender["limit"]))
        for offender in record["offenders"]
    )
    return CheckResult(
        **{
            **fields,
            "observed": _number(record["observed"]),
            "limit": _number(record["limit"]),
            "offenders": offenders,
        }
    )


def _without_nan(record: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in record.items()
    }


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
