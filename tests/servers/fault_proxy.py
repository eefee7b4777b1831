"""A reverse proxy with faults in front of a real server: mitmproxy, from an environment of its own under ``.servers``."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from atproto_servers import free_port, stop

HERE = Path(__file__).resolve().parent
MITMDUMP = HERE.parents[1] / ".servers" / "mitmproxy" / "bin" / "mitmdump"
SERIES = "ok,429,503,reset,html,cut,slow"


def is_installed() -> bool:
    """True if ``tests/servers/install.sh`` has made the environment."""
    return MITMDUMP.exists()


class FaultProxy:
    """Context manager; ``address`` answers as ``target`` does, with the faults of ``series`` in turn, one a request."""

    def __init__(self, target: str, series: str = SERIES, *, port: int | None = None) -> None:
        self._target, self._series = target, series
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> FaultProxy:
        command = [
            str(MITMDUMP), "--quiet", "--listen-host", "127.0.0.1", "--listen-port", str(self.port), "--mode", f"reverse:{self._target}",
            "--scripts", str(HERE / "fault_addon.py"),
        ]  # fmt: skip
        env = os.environ | {"FAULTS": self._series, "SLOW_SECONDS": "0.3"}
        self._process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            assert self._process.poll() is None, "mitmproxy ended"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.1)
        raise AssertionError("mitmproxy does not listen after 30 s")

    def __exit__(self, *_: object) -> None:
        stop(self._process, signal.SIGKILL)
