"""The two programs under test: starting them, asking them, waiting for them."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 20.0
LOOK_EVERY_S = 0.02
UPSTREAMS = ("openai", "anthropic", "gemini")

T = TypeVar("T")


def wait_for(what: str, look: Callable[[], T | None]) -> T:
    """Calls `look` until it gives something other than None, or the deadline passes."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(LOOK_EVERY_S)


def program(variable: str, name: str) -> str:
    path = Path(os.environ.get(variable) or ROOT / "target" / "debug" / name)
    assert path.is_file(), f"{path} is missing: build it, or name another one in {variable}"
    return str(path)


def start(command: list[str]) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Starts a program and returns it with the JSON line that says it is ready."""
    # Settings of the person who runs the tests must not reach the program.
    settings = {name: value for name, value in os.environ.items() if not name.startswith("FLOW_MONITOR_")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=settings)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(f"{command[0]} ended with {process.wait()} before it was ready")
    return process, json.loads(line)


def stop(process: subprocess.Popen[str]) -> int:
    process.terminate()
    try:
        return process.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@dataclass
class Body:
    """A body as the monitor gives it back."""

    data: bytes
    coding: str | None
    wire_bytes: int
    wire_sha256: str | None


class Provider:
    """The fake provider."""

    def __init__(self) -> None:
        self.process, ready = start([program("FAKE_PROVIDER_BIN", "fake-provider")])
        self.url: str = ready["url"]

    def log(self, since: int = 0) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/__log?since={since}", timeout=DEADLINE_S) as answer:
            return json.load(answer)["exchanges"]

    def next_id(self) -> int:
        log = self.log()
        return log[-1]["id"] + 1 if log else 0

    def ended(self, since: int, count: int) -> list[dict[str, Any]]:
        """Returns the exchanges from `since` on, once there are `count` and all have ended."""

        def look() -> list[dict[str, Any]] | None:
            log = self.log(since)
            done = len(log) >= count and all(entry["end"] != "running" for entry in log)
            return log if done else None

        return wait_for(f"{count} exchanges at the provider", look)

    def stop(self) -> int:
        return stop(self.process)


class Monitor:
    """The monitor, on a data directory of its own, with the provider behind each upstream."""

    def __init__(self, upstream: str) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="flow-monitor-sdk-")
        path = Path(self.directory.name)
        command = [program("MONITOR_BIN", "flow-monitor"), "serve", "--data-dir", str(path)]
        command += ["--proxy-listen", "127.0.0.1:0", "--ui-listen", "127.0.0.1:0"]
        for name in UPSTREAMS:
            command += ["--upstream", f"{name}={upstream}"]
        self.process, ready = start(command)
        endpoints = json.loads((path / "endpoints.json").read_text())
        for name in ("proxy", "ui"):
            assert endpoints[name] == ready[name], "the line on stdout and endpoints.json agree"
        self.url = f"http://{ready['proxy']}"
        self.api_url = f"http://{ready['ui']}"
        self.token = (path / "token").read_text().strip()

    def _open(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.api_url}{path}", headers=headers)
        return urllib.request.urlopen(request, timeout=DEADLINE_S)

    def api(self, path: str) -> Any:
        with self._open(path) as answer:
            return json.load(answer)

    def body(self, flow: str, side: str) -> Body:
        with self._open(f"/api/flows/{flow}/{side}/body") as answer:
            return Body(
                data=answer.read(),
                coding=answer.headers.get("x-flow-coding"),
                wire_bytes=int(answer.headers["x-flow-wire-bytes"]),
                wire_sha256=answer.headers.get("x-flow-wire-sha256"),
            )

    def flows(self) -> list[dict[str, Any]]:
        """Returns the newest rows, oldest first."""
        return self.api("/api/flows?limit=50&sort=-started_at")["flows"][::-1]

    def ended(self, known: set[str], count: int) -> list[dict[str, Any]]:
        """Returns the rows that are not among `known`, once there are `count` and all have ended."""

        def look() -> list[dict[str, Any]] | None:
            rows = [row for row in self.flows() if row["id"] not in known]
            done = len(rows) >= count and all(row["end"] is not None for row in rows)
            return rows if done else None

        return wait_for(f"{count} flows at the monitor", look)

    def stop(self) -> int:
        code = stop(self.process)
        self.directory.cleanup()
        return code
