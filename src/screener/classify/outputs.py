"""Which column of the network's logits answers which question."""

from __future__ import annotations

from collections.abc import Sequence

from screener.records import Voice

RELEVANT, POSITIVE = 0, 1
VOICES = (Voice.TESTIMONY, Voice.REPORT, Voice.OPINION, Voice.ADVERT)
VOICE = slice(2, 2 + len(VOICES))
SIGNALS = slice(2 + len(VOICES), None)


def n_outputs(labels: Sequence[str]) -> int:
    """Number of logits: relevant, positive, the voices, one per label."""
    return 2 + len(VOICES) + len(labels)
