"""Listening to a stream until it has caught up, and finding the watches that a text answers to."""

from __future__ import annotations

import contextlib
import socket
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import libipld
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polite import SETTINGS
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from screener.collect import listening
from screener.collect.listening import StreamMatcher, listen
from screener.collect.phrases import Words
from screener.errors import BudgetSpentError, ParseError, RefusedError, TransientSourceError
from screener.records import Watch

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LOCAL = SETTINGS.model_copy(update={"private_hosts": ("127.0.0.1",), "timeout_seconds": 2.0})
Tell = Callable[[ServerConnection], None]


def frame(seq: int, ago: timedelta = timedelta(hours=1)) -> bytes:
    """A frame that says nothing but its place in the stream and its time."""
    body = {"seq": seq, "time": (NOW - ago).isoformat()}
    return libipld.encode_dag_cbor({"op": 1, "t": "#identity"}) + libipld.encode_dag_cbor(body)


def error(name: str) -> bytes:
    return libipld.encode_dag_cbor({"op": -1}) + libipld.encode_dag_cbor({"error": name})


@contextlib.contextmanager
def stream(tell: Tell, *, status: int | None = None, asked: list[Request] | None = None) -> Iterator[str]:
    """Address of a server that talks to each listener by ``tell``, or opens no stream but answers with ``status``."""

    def admit(connection: ServerConnection, request: Request) -> Response | None:
        if asked is not None:
            asked.append(request)
        return None if status is None else Response(status, "said so", Headers({"Content-Length": "0"}), b"")

    with serve(tell, "127.0.0.1", 0, process_request=admit, compression=None) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/xrpc/subscribe"
        finally:
            server.shutdown()
            thread.join(timeout=5)


def telling(*frames: bytes | str, then_wait: bool = True) -> Tell:
    """Sends the frames, then says nothing more until the listener leaves, or hangs up."""

    def tell(connection: ServerConnection) -> None:
        for one in frames:
            connection.send(one)
        if then_wait:
            with contextlib.suppress(Exception):
                connection.recv()

    return tell


def heard(url: str) -> list[int | None]:
    return [event.seq for event in listen(url, LOCAL, until=NOW, seconds=60)]


def test_stream_is_heard_up_to_the_moment_that_the_run_began() -> None:
    frames = [frame(1), frame(2, timedelta(seconds=1)), frame(3, timedelta(0)), frame(4, timedelta(seconds=-1))]
    with stream(telling(*frames)) as url:
        assert heard(url) == [1, 2, 3]


def test_stream_that_says_nothing_more_is_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "IDLE_SECONDS", 0.3)
    with stream(telling(frame(1))) as url:
        assert heard(url) == [1]


def test_time_that_is_over_before_it_has_caught_up_is_a_spent_budget_after_what_was_heard() -> None:
    ticks = iter(range(100))
    with stream(telling(*(frame(seq) for seq in range(1, 9)))) as url:
        events = listen(url, LOCAL, until=NOW, seconds=4, clock=lambda: float(next(ticks)))
        assert [next(events).seq for _ in range(3)] == [1, 2, 3]
        with pytest.raises(
            BudgetSpentError, match=r"^127\.0\.0\.1: not caught up after 4 s \(collect\.max_stream_seconds\)$"
        ):
            next(events)


def test_error_of_the_stream_ends_it_and_is_given() -> None:
    with stream(telling(error("FutureCursor"), frame(1))) as url:
        (event,) = listen(url, LOCAL, until=NOW, seconds=60)
    assert event.error == "FutureCursor"


@pytest.mark.parametrize("broken", [b"\xff\xff", "text in place of bytes"])
def test_damaged_frame_is_a_parse_error(broken: bytes | str) -> None:
    with stream(telling(broken)) as url, pytest.raises(ParseError, match="firehose frame"):
        heard(url)


def test_stream_that_breaks_off_may_be_heard_again_later() -> None:
    with (
        stream(telling(frame(1), then_wait=False)) as url,
        pytest.raises(TransientSourceError, match=r"127\.0\.0\.1: the stream broke off \(ConnectionClosed"),
    ):
        heard(url)


def test_frame_beyond_the_limit_of_the_specification_breaks_the_stream() -> None:
    with stream(telling(bytes(5_000_001))) as url, pytest.raises(TransientSourceError, match="broke off"):
        heard(url)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, RefusedError), (302, RefusedError), (401, RefusedError), (404, RefusedError)]
    + [(status, TransientSourceError) for status in sorted(listening.TRY_LATER)],
)
def test_stream_that_is_not_opened_is_refused_or_to_be_tried_later(status: int, kind: type[Exception]) -> None:
    with stream(telling(), status=status) as url, pytest.raises(kind, match=rf"can't be opened \(HTTP {status}\)"):
        heard(url)


def test_host_that_does_not_answer_may_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TransientSourceError, match="broke off"):
        heard(f"ws://127.0.0.1:{port}/")


def test_stream_of_the_open_network_is_heard_over_tls_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: pytest.fail("a name was looked up"))
    with pytest.raises(RefusedError, match="only listened to over TLS"):
        heard("ws://relay.example/xrpc/subscribe")


def test_server_sees_who_listens_and_at_which_cursor() -> None:
    asked: list[Request] = []
    with stream(telling(frame(8, timedelta(0))), asked=asked) as url:
        heard(f"{url}?cursor=7")
    (request,) = asked
    assert request.headers["user-agent"] == SETTINGS.user_agent
    assert request.path == "/xrpc/subscribe?cursor=7"


def test_listener_that_leaves_early_hangs_up() -> None:
    has_left = Event()

    def tell(connection: ServerConnection) -> None:
        telling(frame(1))(connection)
        has_left.set()

    with stream(tell) as url:
        events = listen(url, LOCAL, until=NOW, seconds=60)
        assert next(events).seq == 1
        events.close()
        assert has_left.wait(timeout=2)


POULTRY = Watch("TH", "poultry", ("th",), ("my",), ())
SEWING = Watch("BD", "textiles-garments", ("bn",), (), ())


def found(text: str, *words: tuple[Watch, Words]) -> list[tuple[str, str]]:
    matcher = StreamMatcher((watch, [asked]) for watch, asked in words)
    return [(hit.country, hit.language) for hit in matcher.find(text)]


def words(*phrases: str, tags: tuple[str, ...] = (), language: str = "en") -> Words:
    return Words(language, phrases, tags)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("unpaid wages", "Our WAGES were left unpaid for months"),
        ("strike", "workers are striking? no: strikes began"),
        ("factory", "(factory-made)"),
        ("কারখানা বেতন", "কারখানায় তিন মাসের বেতন নেই"),
        ("huelga", "¡Huelga!"),
        ("ค่าจ้าง โรงงาน", "นายจ้างที่โรงงานไม่จ่ายค่าจ้างเลย"),
        ("工资", "老板拖欠工资三个月"),
        ("ကြက် လုပ်ခ", "အလုပ်ရုံကကြက်သားနဲ့ လုပ်ခမပေး"),
        ("straße", "AUF DER STRASSE"),
        ("işçi grev", "İŞÇİLER GREVDE"),
    ],
)
def test_text_that_holds_all_words_of_a_phrase_is_found(phrase: str, text: str) -> None:
    assert found(text, (POULTRY, words(phrase))) == [("TH", "en")]
    assert found(unicodedata.normalize("NFD", text), (POULTRY, words(phrase))) == [("TH", "en")]


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("unpaid wages", "wages were paid on time"),
        ("age", "wages"),
        ("rike", "strike"),
        ("মিক", "শ্রমিক"),
        ("ক", "শ্রমিক"),
        ("wages", ""),
    ],
)
def test_text_without_a_word_or_with_one_inside_another_is_not_found(phrase: str, text: str) -> None:
    assert found(text, (POULTRY, words(phrase))) == []


def test_word_that_stands_inside_another_first_is_found_where_it_begins() -> None:
    assert found("backpay and pay", (POULTRY, words("pay"))) == [("TH", "en")]


def test_tag_is_found_as_a_tag_only() -> None:
    asked = (SEWING, words(tags=("শ্রমিক",), language="bn"))
    assert found("আমরা #শ্রমিক", asked) == [("BD", "bn")]
    assert found("শ্রমিক", asked) == []


def test_text_answers_to_each_watch_once_by_its_first_words() -> None:
    asked = [
        (POULTRY, words("unpaid wages")),
        (SEWING, words("wages", tags=("strike",))),
        (POULTRY, words("wages", language="my")),
        (SEWING, words("sewing", language="bn")),
    ]
    assert sorted(found("unpaid wages, #strike", *asked)) == [("BD", "en"), ("TH", "en")]
    assert found("the wages", (POULTRY, words("unpaid wages")), (POULTRY, words("wages", language="my"))) == [
        ("TH", "my")
    ]


def test_finds_stand_in_the_order_of_the_words() -> None:
    asked = [(POULTRY, words("unpaid wages")), (SEWING, words("wages")), (POULTRY, words("wages"))]
    assert found("unpaid wages", *asked) == [("TH", "en"), ("BD", "en")]
    assert found("unpaid wages", *reversed(asked)) == [("TH", "en"), ("BD", "en")]
    assert found("unpaid wages", *asked[1:]) == [("BD", "en"), ("TH", "en")]


def test_matcher_without_words_finds_nothing() -> None:
    assert found("unpaid wages") == []
    assert found("unpaid wages", (POULTRY, words())) == []


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u3000"])
def test_blank_phrase_matches_nothing(blank: str) -> None:
    asked = (POULTRY, words(blank, "wages", tags=("",)))
    assert [found(text, asked) for text in ("passports kept", "", " ", "# alone")] == [[]] * 4
    assert found("wages", asked) == [("TH", "en")]


PARTS = st.lists(  # letters with combining marks among them
    st.text("abåжкবতমা ", min_size=1, max_size=6).filter(str.strip), min_size=1, max_size=4
)


@given(PARTS, st.text("ab åжкবতমা.", max_size=20), st.randoms())
def test_phrase_is_found_in_any_order_among_any_other_words(parts: list[str], other: str, random: object) -> None:
    phrase = " ".join(parts)
    shuffled = phrase.split()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert found(f"{other} {' '.join(shuffled)} {other}", (POULTRY, words(phrase))) == [("TH", "en")]
