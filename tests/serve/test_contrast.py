"""WCAG 2.2 AA: text on its ground at least 4.5:1, controls and graphics at least 3:1, in light and in dark."""

from __future__ import annotations

import re

import pytest

from screener.serve.rendering import STATIC

CSS = (STATIC / "screener.css").read_text()
TEXT = [
    ("ink", "ground"), ("ink", "surface"), ("quiet", "ground"), ("quiet", "surface"), ("link", "ground"), ("link", "surface"), ("surface", "link"),
    ("banner-ink", "banner"), ("low-ink", "low"), ("elevated-ink", "elevated"), ("high-ink", "high"), ("severe-ink", "severe"),
    ("gap-ink", "gap"), ("mark-ink", "mark"),
]  # fmt: skip
GRAPHICS = [
    ("focus", "ground"),
    ("focus", "surface"),
    ("control", "surface"),
    ("control", "ground"),
    ("plot", "surface"),
]


def schemes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    return {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for name, block in (("light", light), ("dark", dark))
    }


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_at_least_aa(scheme: str) -> None:
    colours = schemes()[scheme]
    weak = {
        (a, b): round(contrast(colours[a], colours[b]), 2) for a, b in TEXT if contrast(colours[a], colours[b]) < 4.5
    }
    weak |= {
        (a, b): round(contrast(colours[a], colours[b]), 2) for a, b in GRAPHICS if contrast(colours[a], colours[b]) < 3
    }
    assert weak == {}


def test_every_ground_is_set_together_with_its_own_ink() -> None:
    pairs = re.findall(r"--band: var\(--([\w-]+)\); --band-ink: var\(--([\w-]+)\)", CSS)
    assert len(pairs) == CSS.count("--band: ")
    assert {(ink, ground) for ground, ink in pairs} <= set(TEXT)


def test_both_schemes_set_the_same_colours() -> None:
    light, dark = schemes().values()
    assert set(light) == set(dark)


def test_style_loads_nothing() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
