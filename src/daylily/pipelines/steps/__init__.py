"""
Runs a pipeline that is a list of steps, as one job of any engine.

``python -m daylily.pipelines.steps --workset DIR --results DIR --plan JSON [--sample ID]...``: see
docs/pipelines/steps.md.
"""
