"""Pure: takes out of a text what points at a person, before anyone is shown it.

Handles, links, mails, phone and document numbers go, and names after a form of address. Names without one stay: telling
them from other words in thirty languages needs a model that is not here yet, which is why only experts see texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TITLES = "Mr|Mrs|Ms|Miss|Dr|Sir|Madam|Encik|Puan|Cik|Pak|Bapak|Ibu|Señor|Señora|Sr|Sra|Don|Doña|Monsieur|Madame|Herr|Frau|Pan|Pani|Bay|Bayan|Ginoong|Aling|Mang|Sheikh|Ustad|Chaudhry"
_NO_LETTER = r"(?<![^\W\d_])"
"""Not after a letter. A plain word break would not do: a mark put in place of digits makes a new one, and a second pass would find more."""
_PATTERNS = (
    ("link", r"https?://\S+|www\.\S+|\[URL\]"),
    ("mail", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("handle", r"@[\w.]{2,}"),
    ("document", rf"{_NO_LETTER}[A-Z]{{1,3}}[ -]?\d{{6,9}}(?!\d)|(?<!\d)\d{{5}}[- ]\d{{7}}[- ]\d(?!\d)"),
    ("phone", r"(?:\+|00)?\d(?:[\s().-]{0,2}\d){6,14}"),
    ("name", rf"{_NO_LETTER}(?:{_TITLES})\.?\s+[A-ZÅÄÖÉÑÇŞĞİÜŁŚŻ][\w'’-]+(?:\s+[A-ZÅÄÖÉÑÇŞĞİÜŁŚŻ][\w'’-]+)?"),
)
_ANY = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS))


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """The text that may be shown, and where each replaced stretch stood: (start, end, length of replacement)."""

    text: str
    cuts: tuple[tuple[int, int, int], ...]

    def move(self, start: int, end: int) -> tuple[int, int]:
        """Positions in the original text as positions in the scrubbed one; a span that touches a cut covers its mark."""
        return self._map(start, after=False), self._map(end, after=True)

    def _map(self, position: int, *, after: bool) -> int:
        shift = 0
        for start, end, length in self.cuts:
            if position >= end:
                shift += length - (end - start)
            elif position > start:
                return start + shift + (length if after else 0)
        return position + shift


def scrub(text: str) -> Scrubbed:
    """The text with ``[handle]``, ``[phone]`` and so on in place of what points at a person. Idempotent."""
    pieces: list[str] = []
    cuts: list[tuple[int, int, int]] = []
    last = 0
    for match in _ANY.finditer(text):
        mark = f"[{match.lastgroup}]"
        pieces += [text[last : match.start()], mark]
        cuts.append((match.start(), match.end(), len(mark)))
        last = match.end()
    return Scrubbed("".join((*pieces, text[last:])), tuple(cuts))
