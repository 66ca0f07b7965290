"""
What the steps of the pipeline ``daylily-omics`` do: the run of the Daylily of old, in one Slurm job.

``python -m daylily.pipelines.omics stage|clone|run|export|cancel ...``: see
docs/pipelines/daylily-omics.md.
"""
