"""Flows that were seen, and the rules that would let dropped ones pass."""
