"""Checks of synthetic against real rows: plain functions that need milliseconds and no framework."""

from autosynth.checks.result import CheckReport, CheckResult, Severity
from autosynth.checks.rules import Rule
from autosynth.checks.verdict import check

__all__ = ["CheckReport", "CheckResult", "Rule", "Severity", "check"]
