"""Daylily: submit, prioritise, lock, run and record genomics worksets."""

__version__ = "0.1.0"
