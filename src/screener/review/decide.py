"""Pure: what a decision may say, by the annotation guide."""

from __future__ import annotations

from collections.abc import Sequence

from screener.errors import ReviewError, UnknownCodeError
from screener.records import Decision, Voice


def check_decision(decision: Decision, labels: Sequence[str]) -> None:
    """Raise ``ReviewError`` or ``UnknownCodeError`` if the four answers contradict one another or name no label."""
    for signal in decision.signals:
        if signal not in labels:
            raise UnknownCodeError("label", signal, labels)
    if not decision.reviewer.strip():
        raise ReviewError("a decision needs a reviewer")
    if decision.relevant and decision.voice is Voice.NONE:
        raise ReviewError(f"a relevant post has a voice: {', '.join(v for v in Voice if v is not Voice.NONE)}")
    if not decision.relevant and (decision.voice is not Voice.NONE or decision.signals or decision.positive):
        raise ReviewError("a post that is not relevant has voice none, no signals and is not positive")
