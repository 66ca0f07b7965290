"""
The shipped pipeline ``fastq-qc``: is this FASTQ whole, and what does it look like?

``python -m daylily.pipelines.fastq_qc --workset DIR --output DIR`` reads ``stage_samples.tsv`` and
writes ``summary.tsv``, ``report.json`` and ``report.html``. What each figure means:
docs/pipelines/fastq-qc.md.
"""

from daylily.extras import needs

needs("pipelines", "dnaio", "jinja2", "sequali", "xopen")
