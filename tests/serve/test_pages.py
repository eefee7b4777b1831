"""The HTML pages: what they must say, in both languages, and what they must never let through."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from invented_store import FIGURES
from starlette.testclient import TestClient

from screener.serve.cell import mark_spans
from screener.serve.security import host_name
from screener.settings import Settings

PAGES = [
    "/",
    "/?country=TH",
    "/cell/TH/poultry",
    "/cell/PK/surgical-instruments",
    "/cell/SE/poultry",
    "/method",
    "/docs",
    "/nothing",
]
VOID = {"meta", "link", "img", "br", "input", "hr", "rect", "circle"}


class Tree(HTMLParser):
    """Fails on unbalanced tags, doubled ids and anything that would run or reach outside."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert tag not in {"script", "style", "iframe"}
        assert not any(name.startswith("on") or name == "style" for name in values)
        for name in ("href", "src", "action"):
            assert not str(values.get(name, "")).startswith(("http", "//", "javascript:"))
        if "id" in values:
            self.ids.append(str(values["id"]))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "a":
            self.links.append(str(values["href"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def text_of(client: TestClient, address: str, **headers: str) -> str:
    return client.get(address, headers=headers).text


@pytest.mark.parametrize("lang", ["en", "sv"])
@pytest.mark.parametrize("address", PAGES)
def test_pages_are_well_formed_and_reach_nowhere(client: TestClient, address: str, lang: str) -> None:
    reply = client.get(address, headers={"Accept-Language": lang})
    assert reply.headers["content-type"].startswith("text/html")
    tree = Tree()
    tree.feed(reply.text)
    assert tree.open == []
    assert len(tree.ids) == len(set(tree.ids))
    assert tree.headings[0] == 1
    assert tree.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(tree.headings, tree.headings[1:], strict=False))
    assert tree.links[0] == "#content"
    assert f'<html lang="{lang}">' in reply.text


@pytest.mark.parametrize("address", [*PAGES, "/v1/risk?sector=nope", "/healthz", "/static/screener.css"])
def test_every_reply_is_secured(client: TestClient, address: str) -> None:
    headers = client.get(address).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_links_of_the_pages_lead_somewhere(client: TestClient) -> None:
    seen: set[str] = set()
    for address in ("/", "/cell/TH/poultry", "/nothing"):
        tree = Tree()
        tree.feed(client.get(address).text)
        seen |= {link for link in tree.links if link.startswith("/")}
    assert len(seen) > 40
    assert {client.get(link).status_code for link in seen} == {200}


def test_overview_shows_every_cell_once(client: TestClient, settings: Settings) -> None:
    body = text_of(client, "/")
    matrix = body[body.index('<table class="matrix') : body.index("</table>")]
    found = set(re.findall(r'href="/cell/(\w\w)/([\w-]+)"', matrix))
    assert found == {(watch.country, watch.sector) for watch in settings.watches} | set(FIGURES)
    assert matrix.count("Insuf\u00adficient evidence") == len(found) - len(FIGURES)
    assert "unspecified" not in body


def test_overview_names_band_index_interval_and_coverage(client: TestClient) -> None:
    body = text_of(client, "/")
    cell = re.search(r'href="/cell/TH/poultry">(.*?)</a>', body, re.DOTALL)
    assert cell is not None
    for part in ("High", ">47", "95% interval 38 to 56", "Coverage: partial", "Thailand"):
        assert part in re.sub(r"<span class=\"vh\">Index </span>", ">", cell[1])


def test_overview_filters_through_the_address(client: TestClient) -> None:
    body = text_of(client, "/?country=MY&sector=")
    matrix = body[body.index('<table class="matrix') : body.index("</table>")]
    assert set(re.findall(r"/cell/(\w\w)/", matrix)) == {"MY"}
    assert '<option value="MY" selected>' in body
    assert "No country and sector pair fits" in text_of(client, "/?country=SE&sector=ports")


def test_overview_ranks_the_highest_first(client: TestClient) -> None:
    body = text_of(client, "/")
    ranking = body[body.index('class="list ranking"') :]
    assert re.findall(r'href="/cell/(\w\w)/', ranking)[:3] == ["MY", "CN", "QA"]


def test_banners_say_draft_and_invented(client: TestClient) -> None:
    for address in ("/", "/cell/TH/poultry"):
        assert "These figures are a draft" in text_of(client, address)
        assert "made from invented posts" in text_of(client, address)


def test_banners_are_gone_from_a_release_of_real_posts(released: TestClient) -> None:
    body = text_of(released, "/")
    assert 'class="banner"' not in body
    assert "Released 30 Sept 2026" in body
    assert "Expert group" in body


def test_empty_store_shows_the_watchlist_without_figures(empty: TestClient) -> None:
    body = text_of(empty, "/")
    assert "Nothing has been collected yet" in body
    assert "Insuf\u00adficient evidence" in body


def test_cell_escapes_posts_and_marks_passages(client: TestClient) -> None:
    body = text_of(client, "/cell/TH/poultry")
    assert "<script" not in body
    assert "&lt;script&gt;" in body
    assert (
        '<blockquote dir="auto" lang="th">โรงงานไก่<mark title="Withholding of wages">ไม่จ่ายเงินเดือน</mark>สามเดือนแล้ว'
        in body
    )
    assert '<blockquote dir="auto" lang="ar">' in body
    assert '<mark title="Withholding of wages">လစာမပေး</mark>' in body


def test_cell_says_the_index_in_words(client: TestClient) -> None:
    assert "The index is 47.2 of 100. With 95% probability it lies between 38.4 and 56.0." in text_of(
        client, "/cell/TH/poultry"
    )
    assert "The band is very likely high: 86% of the estimates fall in it." in text_of(client, "/cell/TH/poultry")
    swedish = text_of(client, "/cell/TH/poultry?lang=sv")
    assert "Indexet är 47,2 av 100." in swedish
    assert "Nivån är mycket sannolikt hög: 86\u00a0% av skattningarna hamnar där." in swedish


def test_cell_shows_shares_hidden_labels_and_coverage(client: TestClient) -> None:
    body = text_of(client, "/cell/TH/poultry")
    assert "fewer than 3 voices, figures withheld: child labour." in body
    assert "event, not a violation" in body
    assert "11 of 13" in body
    assert "Khmer" in body
    assert "1 Jul 2026 – 29 Sept 2026" in body


def test_cell_shows_provenance_and_its_json_twin(client: TestClient) -> None:
    body = text_of(client, "/cell/TH/poultry")
    for part in ("20260930T070000-4f1c2b7a", "signals/1", "1b7e" * 16, "/v1/risk?country=TH&amp;sector=poultry"):
        assert part in body


def test_cell_filters_evidence_by_label(client: TestClient) -> None:
    assert text_of(client, "/cell/TH/poultry?label=excessive_overtime").count('<li class="card">') == 1
    assert text_of(client, "/cell/TH/poultry?label=").count('<li class="card">') == 5
    assert "No post is shown for this label" in text_of(client, "/cell/TH/poultry?label=deception")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("/cell/PK/surgical-instruments", "Fewer than 10 distinct voices"),
        ("/cell/MY/electronics", "Fewer than 10 relevant posts"),
        ("/cell/SE/poultry", "Nothing has been collected"),
    ],
)
def test_cell_without_figures_says_why_and_that_it_is_not_low(client: TestClient, address: str, why: str) -> None:
    reply = client.get(address)
    assert reply.status_code == 200
    for part in ("Insufficient evidence", "not the same as low risk", why):
        assert part in reply.text


@pytest.mark.parametrize(
    "address", ["/cell/TH/nope", "/cell/XX/poultry", "/cell/ZZ/poultry", "/?sector=nope", "/?country=XX", "/nothing"]
)
def test_unknown_names_give_a_page_with_the_legal_sectors(client: TestClient, address: str, settings: Settings) -> None:
    reply = client.get(address, headers={"Accept-Language": "sv"})
    assert reply.status_code == 404
    assert all(f'href="/?sector={sector.slug}"' in reply.text for sector in settings.sectors)
    assert "Sidan finns inte" in reply.text


def test_hostile_addresses_come_back_escaped(client: TestClient) -> None:
    for address in ("/cell/TH/<script>", '/?sector="><script>', "/?x=<script>"):
        assert "<script" not in client.get(address).text


def test_lower_case_country_moves_to_its_own_address(client: TestClient) -> None:
    reply = client.get("/cell/th/poultry")
    assert reply.status_code == 308
    assert reply.headers["location"].endswith("/cell/TH/poultry")


def test_head_is_answered(client: TestClient) -> None:
    assert client.head("/").status_code == 200


def test_unexpected_error_is_a_page_without_details(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from screener.serve import pages

    def broken(*args: object, **named: object) -> bytes:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(pages, "build_overview", broken)
    client._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    reply = client.get("/")
    assert reply.status_code == 500
    assert "Something went wrong" in reply.text
    assert "secret" not in reply.text
    assert "default-src 'self'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8000", 200), ("[::1]:8000", 200), ("localhost", 200), ("evil.example", 400), ("evil.example:80", 400)],
)
def test_foreign_host_names_are_refused(client: TestClient, host: str, status: int) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == status


def test_host_name_takes_ports_and_brackets_off() -> None:
    assert [host_name(header) for header in ("A.example:80", "[::1]:80", "[::1]", "", "x")] == [
        "a.example",
        "::1",
        "::1",
        "",
        "x",
    ]


def test_mark_spans_joins_what_overlaps_and_loses_nothing() -> None:
    text = "abcdefghij"
    pieces = mark_spans(text, [(2, 5, "x"), (4, 7, "y"), (8, 99, "x"), (3, 3, "z"), (-4, 1, "w")])
    assert "".join(piece.text for piece in pieces) == text
    assert [(piece.text, piece.labels) for piece in pieces if piece.labels] == [
        ("a", ("w",)),
        ("cdefg", ("x", "y")),
        ("ij", ("x",)),
    ]
