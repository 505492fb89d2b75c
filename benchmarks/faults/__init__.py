"""Faults planted in real rows, and what the gate makes of them."""
