"""Collecting from a local server beside the server's own limit: how much of what it can give reaches the lake, in what memory.

usage: collecting.py [N_POSTS]     default 50,000; prints two rows, asserts nothing
The server is Python's own, in a process of its own, and serves invented posts as WordPress does, 100 a page.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import tomli_w

REPOSITORY = Path(__file__).resolve().parents[2]
N_POSTS = 50_000
_PAGE = 100
_NOW = datetime.now(UTC).replace(microsecond=0)


def serve(n_posts: int, told: Connection) -> None:
    """Answer ``/wp-json/wp/v2/posts?page=N`` until killed; pages are made before the first question."""
    pages = [
        json.dumps([_post(number) for number in range(first, min(first + _PAGE, n_posts))]).encode()
        for first in range(0, n_posts, _PAGE)
    ]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 20  # headers and body in one packet, else each answer waits for the other side's delayed ACK

        def do_GET(self) -> None:
            page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
            body = pages[page - 1] if page <= len(pages) else b'{"code":"rest_post_invalid_page_number"}'
            self.send_response(200 if page <= len(pages) else 400)
            for name, value in (
                ("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("X-WP-TotalPages", str(len(pages))),
                ("X-WP-Total", str(n_posts)),
            ):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.send(server.server_port)
        server.serve_forever()


def _post(number: int) -> dict[str, object]:
    moment = (_NOW - timedelta(minutes=10 + number)).strftime("%Y-%m-%dT%H:%M:%S")
    return {
        "id": number + 1, "date_gmt": moment, "modified_gmt": moment, "status": "publish", "type": "post", "author": number % 997,
        "link": f"https://union.example/?p={number + 1}", "title": {"rendered": f"Shift {number}"},
        "content": {"rendered": f"<p>They have not paid the overtime of week {number}, &amp; the foreman keeps our papers.</p>", "protected": False},
        "excerpt": {"rendered": "", "protected": False},
    }  # fmt: skip


def download(address: str, n_posts: int) -> float:
    """Seconds that a bare client takes for the same pages: what the server can give."""
    began = time.perf_counter()
    with httpx.Client() as client:
        for page in range(1, -(-n_posts // _PAGE) + 1):
            client.get(f"{address}/wp-json/wp/v2/posts", params={"page": page}).read()
    return time.perf_counter() - began


def collect(address: str, folder: Path) -> tuple[float, int]:
    """Seconds from the first question to the last part in the lake, and how many posts lie there."""
    from screener.pipeline.collect import collected_days, run_collect
    from screener.pipeline.context import open_context
    from screener.pipeline.sources import chosen_sources
    from screener.settings import load_settings
    from screener.workdir import Workdir

    config = folder / "config"
    shutil.copytree(REPOSITORY / "config", config)
    for path in (config / "sources").glob("*.toml"):
        path.unlink()
    source = {
        "kind": "wordpress", "name": "wordpress", "enabled": True, "endpoints": ["posts"], "lookback_days": 365, "overlap_hours": 1,
        "refresh_days": 30, "min_posts_per_week": 1, "limits": {"max_requests_per_run": 5000, "seconds_between_requests": 0.0},
        "targets": [{"url": address, "country": "BD", "sector": "textiles-garments", "reason": "The server of this measurement."}],
    }  # fmt: skip
    (config / "sources" / "wordpress.toml").write_text(tomli_w.dumps(source), encoding="utf-8")
    plain = (config / "screener.toml").read_text(encoding="utf-8")
    (config / "screener.toml").write_text(plain.replace("private_hosts = []", 'private_hosts = ["127.0.0.1"]'))
    settings, workdir = load_settings(config), Workdir(folder / "var").ensure()
    began = time.perf_counter()
    with open_context(settings, workdir, arguments="bench") as context:
        report = run_collect(context, chosen_sources(settings, workdir), days=collected_days(context))
    return time.perf_counter() - began, dict(report.counts)["new_posts"]


def measure(n_posts: int) -> None:
    """One row; in a process of its own, so that its peak memory is its own."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(n_posts, theirs), daemon=True)
    server.start()
    address = f"http://127.0.0.1:{ours.recv()}"
    bare = min(download(address, n_posts) for _ in range(2))
    with tempfile.TemporaryDirectory() as folder:
        seconds, n_kept = collect(address, Path(folder))
    server.kill()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"| collect, {n_kept:,} posts | {n_kept / seconds:,.0f} posts/s | the server's own limit | {n_posts / bare:,.0f} posts/s "
        f"| {bare / seconds:.2f} | {peak} MB |"
    )


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else N_POSTS
    for size in (wanted // 5, wanted):
        one = multiprocessing.Process(target=measure, args=(size,))
        one.start()
        one.join()
