"""The dashboard in a real browser: nothing fails to load, nothing overflows, and a keyboard is enough."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from screener.serve.app import create_app
from screener.settings import Settings
from screener.workdir import Workdir

sys.path.append(
    str(Path(__file__).resolve().parents[1] / "serve")
)  # the invented store and ledger are shared with the in-process tests
from invented_ledger import ALARMING, fill_ledger, with_sources
from invented_store import fill

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAGES = ["/", "/cell/TH/poultry", "/cell/PK/surgical-instruments", "/sources", "/method", "/docs"]
OVERFLOW = "() => document.documentElement.scrollWidth - window.innerWidth"
UNDERSIZED = """() => [...document.querySelectorAll('a, button, select, summary')].filter(e => e.offsetParent && getComputedStyle(e).display !== 'inline')
    .map(e => [e.textContent.trim(), e.getBoundingClientRect()]).filter(([, r]) => r.height < 24 || r.width < 24).map(([t]) => t)"""
CUT_OFF = """() => [...document.querySelectorAll('.matrix .word, .matrix .range, .matrix .value, .badge')]
    .map(e => [e.textContent, e.getBoundingClientRect(), e.closest('a, li, td, div, summary').getBoundingClientRect()])
    .filter(([, inner, outer]) => inner.width && (inner.right > outer.right + 0.5 || inner.left < outer.left - 0.5)).map(([text]) => text)"""

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium (tests/servers/install.sh)"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[str]:
    """A real server in a thread, on a free port of this machine."""
    import uvicorn

    workdir = Workdir(tmp_path_factory.mktemp("dashboard"))
    fill(workdir, settings)
    fill_ledger(workdir, settings, now=datetime.now(UTC))
    server = uvicorn.Server(uvicorn.Config(create_app(with_sources(settings), workdir), log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.mark.parametrize("lang", ["en", "sv"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light"), (390, "dark")])
@pytest.mark.parametrize("path", PAGES)
def test_page_loads_clean_and_fits(
    browser, address: str, tmp_path: Path, path: str, width: int, scheme: str, lang: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, locale=lang)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address + path)
    page.screenshot(path=str(tmp_path / f"{width}-{scheme}-{lang}.png"), full_page=True)
    assert said == []
    assert all(url.startswith(address) for url in asked)
    assert page.locator("html").get_attribute("lang") == lang
    assert page.evaluate(OVERFLOW) <= 0
    assert page.evaluate(UNDERSIZED) == []
    assert page.evaluate(CUT_OFF) == []
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_keyboard_reaches_a_cell_and_opens_it(browser, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, locale="en")
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if (page.evaluate("document.activeElement.getAttribute('href')") or "").startswith("/cell/"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/cell/BD/textiles-garments")
    assert page.locator("h1").inner_text() == "Textiles and garments in Bangladesh"
    page.close()


def test_matrix_becomes_cards_on_a_phone(browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900}, locale="en")
    page.goto(address)
    card = page.locator('.matrix a[href="/cell/TH/poultry"]')
    assert card.locator(".where").is_visible()
    assert card.bounding_box()["width"] > 300
    assert page.locator(".matrix .blank").first.is_hidden()
    page.close()


def test_filter_form_narrows_the_matrix(browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="sv")
    page.goto(address)
    page.get_by_label("Land", exact=True).select_option("MY")
    page.get_by_role("button", name="Använd").click()
    page.wait_for_url("**country=MY**")
    assert page.locator(".matrix tbody tr").count() == 1
    page.close()


def test_text_may_be_twice_as_large(browser, address: str) -> None:
    """WCAG 1.4.4 and 1.4.10: at 200 % zoom of a 1280 px window nothing needs two-way scrolling."""
    page = browser.new_page(viewport={"width": 640, "height": 450}, locale="sv")
    for path in PAGES:
        page.goto(address + path)
        assert page.evaluate(OVERFLOW) <= 0, path
    page.set_viewport_size({"width": 320, "height": 450})
    for path in PAGES:
        page.goto(address + path)
        assert page.evaluate(OVERFLOW) <= 0, path
    page.close()


def test_browser_sees_table_semantics_in_cards_too(browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900}, locale="en")
    page.goto(address)
    assert page.locator(".matrix").get_by_role("rowheader", name="Thailand").count() == 1
    assert page.locator(".matrix").get_by_role("cell", name="Poultry").count() == 1
    page.close()


def press_until(page, found: str, *, limit: int = 60) -> None:
    """Tab on until the focused element fits the selector."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", found):
            return
    pytest.fail(f"no Tab leads to {found}")


@pytest.mark.parametrize("lang", ["en", "sv"])
@pytest.mark.parametrize("width", [1280, 390])
def test_keyboard_goes_from_the_alarm_to_a_ledger_and_scrolls_it(browser, address: str, width: int, lang: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, locale=lang)
    page.goto(address)
    press_until(page, ".banner a[href='/sources']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sources")
    press_until(page, "[role=alert] a[href='#source-bluesky']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sources#source-bluesky")
    press_until(page, "#source-bluesky summary")
    press_until(page, "#source-bluesky .days-scroll", limit=1)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    hidden = page.evaluate("document.activeElement.scrollWidth - document.activeElement.clientWidth")
    assert (hidden > 0) == (width == 390)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("hidden => !hidden || document.activeElement.scrollLeft > 0", arg=hidden > 0)
    page.close()


def test_keyboard_opens_and_closes_what_is_folded(browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900}, locale="en")
    page.goto(address + "/sources")
    assert page.locator("details.ledger[open]").count() == len(ALARMING)
    for found, was_open in (("details.off", False), ("#source-bluesky", True), ("#source-mastodon", False)):
        press_until(page, f"{found} > summary")
        page.keyboard.press("Enter")
        assert page.evaluate("selector => document.querySelector(selector).open", found) is not was_open
    page.close()


def test_row_names_stay_in_sight_while_days_scroll(browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900}, locale="sv")
    page.goto(address + "/sources")
    page.evaluate("document.querySelector('#source-bluesky .days-scroll').scrollLeft = 300")
    name = page.locator("#source-bluesky tbody th").first
    assert 0 <= name.bounding_box()["x"] < 40
    assert (
        page.evaluate("""() => [...document.querySelectorAll('.days tbody th')]
        .filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)""")
        == []
    )
    page.close()


def test_browser_sees_alarm_status_and_table_semantics_of_sources(browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900}, locale="en")
    page.goto(address)
    assert "6 sources need attention" in page.get_by_role("status").inner_text()
    page.goto(address + "/sources")
    assert page.get_by_role("alert").get_by_role("heading", name="6 sources need attention").count() == 1
    table = page.get_by_role("table", name="State of each source")
    assert table.get_by_role("rowheader", name="bluesky").count() == 1
    assert table.get_by_role("columnheader", name="Last answer").count() == 1
    days = page.get_by_role("table", name="bluesky: posts per day")
    assert days.get_by_role("rowheader", name="Poultry in Thailand Thai").count() == 1
    assert days.get_by_role("cell", name="Error", exact=True).count() > 10
    page.close()
