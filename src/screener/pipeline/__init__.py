"""START HERE. The six stages as functions that read the store, call the pure core, write the store and report.

Each stage may be called alone (CLI, Airflow task) and again after a crash: what is done is skipped by fingerprint or
replaced as a whole, so a run that was killed and started again ends with the results of an undisturbed one.

* :mod:`screener.pipeline.context`: what a stage is handed
* :mod:`screener.pipeline.collect`: stage 1; :mod:`~screener.pipeline.sources` says whom it asks, :mod:`~screener.pipeline.asking`
  asks over HTTP, :mod:`~screener.pipeline.streaming` listens, :mod:`~screener.pipeline.keeping` keeps what comes,
  :mod:`~screener.pipeline.ledger` writes down what did not
* :mod:`screener.pipeline.housekeeping`: deletions (:mod:`~screener.pipeline.refreshing`, :mod:`~screener.pipeline.erasing`), old texts
* :mod:`screener.pipeline.screen`: stages 2 and 3
* :mod:`screener.pipeline.figures`: stages 4 and 5
* :mod:`screener.pipeline.review`: stage 6 and releases
* :mod:`screener.pipeline.run`: all of them in order
"""

from screener.pipeline.collect import run_collect
from screener.pipeline.context import STAGES, Context, Progress, open_context
from screener.pipeline.figures import run_aggregate, run_publish
from screener.pipeline.review import run_review
from screener.pipeline.run import RunOptions, run_all
from screener.pipeline.screen import run_classify, run_detect_language

__all__ = [
    "STAGES", "Context", "Progress", "RunOptions", "open_context", "run_aggregate", "run_all", "run_classify", "run_collect",
    "run_detect_language", "run_publish", "run_review",
]  # fmt: skip
