"""Stage 2: the language of every post, or ``und``. See ``cascade`` for the order of the steps."""

from screener.detect_language.cascade import DETECTOR_VERSION, Detector
from screener.detect_language.evaluate import LanguageScore, evaluate, macro_f1
from screener.detect_language.model import key_of
from screener.detect_language.parallel import ParallelDetector

__all__ = ["DETECTOR_VERSION", "Detector", "LanguageScore", "ParallelDetector", "evaluate", "key_of", "macro_f1"]
