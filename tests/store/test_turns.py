"""One process at a time on a working directory, and a process that dies lets go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("fcntl")

from screener.pipeline.run import taking_turns

HOLD = """
import sys, time
from pathlib import Path
from screener.pipeline.run import taking_turns
from screener.workdir import Workdir
with taking_turns(Workdir(Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_waits_until_the_first_is_gone(workdir):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(workdir.root)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        import fcntl

        with (workdir.root / "turn.lock").open("w") as handle, pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        started = time.monotonic()
        os.kill(holder.pid, signal.SIGKILL)
        with taking_turns(workdir):
            assert time.monotonic() - started < 10


def test_the_same_process_may_take_turn_after_turn(workdir):
    taken = 0
    for _ in range(3):
        with taking_turns(workdir):
            taken += 1
    assert taken == 3
