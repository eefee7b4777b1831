"""Texts to token ids, as multilingual-e5-small was trained to read them, with the ``tokenizers`` library (Rust)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from screener.classify.packaged import Pieces

PREFIX = "query: "
"""What E5 asks for in front of texts in symmetric tasks (model card of intfloat/multilingual-e5-small)."""
MAX_CHARACTERS = 1200
"""Characters of a post that are read: bounds the time that one post of 100,000 characters can take."""
MAX_TOKENS = 256
"""Tokens of a post that are read: all of the development posts but a few; in long ones the grievance often comes late."""
_NOISE = re.compile(r"(?:https?://[!-~]+|\[URL\]|\bURL\b|@[A-Za-z0-9_.]+|\[?\bUSER\b\]?|\s)+")
"""Links and handles end where ASCII ends: Chinese and Burmese go on behind them without a blank."""
_SPACES = re.compile(r"  +")


class Tokeniser:
    """A unigram tokeniser (Kudo 2018, arXiv:1804.10959) over the packaged pieces.

    Gives the package's own tokens but for runs of unknown characters, which are one unknown token here, as SentencePiece does.
    """

    def __init__(self, pieces: Pieces, *, max_tokens: int = MAX_TOKENS) -> None:
        from tokenizers import Tokenizer
        from tokenizers.models import Unigram
        from tokenizers.pre_tokenizers import Metaspace

        self._pieces, self._max_tokens = pieces, max_tokens
        self._model: Any = Tokenizer(Unigram(list(pieces.pieces), unk_id=pieces.unknown, byte_fallback=False))
        self._model.pre_tokenizer = Metaspace(replacement="▁", prepend_scheme="always", split=False)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids per text, with the marks of beginning and end, at most ``max_tokens``."""
        read = [_SPACES.sub(" ", (PREFIX + prepare(text)).translate(self._pieces.normalised)) for text in texts]
        found = self._model.encode_batch_fast(read, add_special_tokens=False)
        room = self._max_tokens - 2
        return [[self._pieces.begin, *one.ids[:room], self._pieces.end] for one in found]


def prepare(text: str) -> str:
    """Text as the encoder sees it: links and handles removed (they say who, not what), white space folded, cut."""
    folded = _NOISE.sub(" ", text.lstrip()[: 4 * MAX_CHARACTERS]).replace("\0", " ").strip()[:MAX_CHARACTERS]
    return folded.encode("utf-8", "replace").decode("utf-8") or "."
