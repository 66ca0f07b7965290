"""Pipelines as programs: each test starts them as an engine does."""

from tests.unit.pipelines.conftest import workset

__all__ = ["workset"]
