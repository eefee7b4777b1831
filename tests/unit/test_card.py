"""The model card: what the gate does is said in figures, or it is said that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from screener.classify.card import gate_sentence

MEASURED = {
    "n": 4000, "n_flagged": 321, "keeps_of_full_model": 0.9751, "passes_of_irrelevant": 0.0649,
}  # fmt: skip


def test_what_the_gate_does_is_said_in_figures() -> None:
    told = gate_sentence(MEASURED)
    assert "On 4000 of them" in told
    assert "keeps 97.5% of the 321 that the full model finds relevant" in told
    assert "passes 6.5% of the rest." in told


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"keeps_of_full_model": 1.0}, "keeps 100.0% of"),
        ({"keeps_of_full_model": 0.0}, "keeps 0.0% of"),
        ({"passes_of_irrelevant": 1}, "passes 100.0% of the rest."),
    ],
)  # fmt: skip
def test_shares_at_the_ends_are_shares_too(change: dict[str, Any], words: str) -> None:
    assert words in gate_sentence(MEASURED | change)


def test_gate_that_was_not_measured_gets_no_figures() -> None:
    told = gate_sentence({})
    assert "not measured" in told
    assert not any(letter.isdigit() for letter in told)
