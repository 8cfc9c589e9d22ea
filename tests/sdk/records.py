"""What must be recorded of a call: the wire as the provider saw it, and a reading that says what the SDK said."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from programs import Body, Monitor, wait_for
from sdks import Answer, Sdk


@dataclass
class Recorded:
    """A flow beside the provider's own notes of the same request."""

    flow: dict[str, Any]
    exchange: dict[str, Any]
    reading: dict[str, Any]
    provider: dict[str, Any]
    response: bytes

    def ended(self, state: str, end: str, status: int = 200) -> None:
        found = (self.flow["state"], self.flow["end"], self.flow["status"])
        assert found == (state, end, status), self.exchange

    def says(self, sdk: type[Sdk], answer: Answer, stream: bool) -> None:
        """Checks the reading and the row of an answered call against what the SDK returned."""
        self.ended("completed", "ended")
        assert self.flow["dialect"] == sdk.dialect
        assert self.flow["streaming"] == stream
        response = self.reading["response"]
        assert response.get("diagnostics", []) == []
        choice = response["choices"][0]
        assert texts(choice, "text") == answer.text
        assert texts(choice, "thinking") == answer.thinking
        # A service without a field for refusals refuses in its text.
        assert texts(choice, "refusal") == answer.refusal
        assert calls(choice) == answer.calls
        assert choice["stop_reason"] == answer.stop
        if not answer.calls:
            assert choice["stop"] == sdk.stops[answer.stop or ""]
        for name, count in answer.tokens.items():
            assert (self.flow["tokens"][name] or 0) == count, name
        assert not self.flow["estimated"]
        said = answer.text or answer.thinking or answer.refusal or answer.calls
        if stream and said:
            assert 0 < self.flow["ttfb_us"] <= self.flow["ttft_us"] <= self.flow["duration_us"]
        else:
            assert self.flow["ttft_us"] is None


def recorded(monitor: Monitor, row: dict[str, Any], provider: dict[str, Any]) -> Recorded:
    """Fetches a flow and checks that its wire is the provider's."""
    # That a flow can be read at once has a test of its own; here a commit may still be under way.
    detail, request, response = wait_for("the flow's bodies", lambda: stored(monitor, row["id"]))
    exchange = detail["exchange"]

    assert request.wire_sha256 == provider["request_sha256"]
    assert request.wire_bytes == provider["request_bytes"] == row["request_bytes"]
    assert hashlib.sha256(request.data).hexdigest() == provider["request_sha256"], "no SDK compresses here"

    whole = provider["end"] in ("complete", "cut")
    if whole:
        assert response.wire_sha256 == provider["response_sha256"]
        assert response.wire_bytes == provider["response_bytes"] == row["response_bytes"]
        assert hashlib.sha256(response.data).hexdigest() == provider["response_plain_sha256"]
    assert response.coding == provider["coding"]

    assert row["method"] == provider["method"]
    assert row["path"] == provider["target"].split("?")[0]
    assert exchange["response"]["status"] == provider["status"]
    for side in ("request_body", "response_body"):
        facts = exchange[side]
        assert not facts["truncated"] and not facts.get("gaps") and not facts.get("decode_error"), facts
    names = {header["name"].lower() for header in exchange["request"]["headers"]}
    added = {name for name, _ in provider["headers"]} - names
    assert added == set(), "the monitor adds nothing to a request"
    no_secret(detail)
    return Recorded(detail["flow"], exchange, detail["reading"], provider, response.data)


def stored(monitor: Monitor, flow: str) -> tuple[dict[str, Any], Body, Body] | None:
    """Returns a flow's detail and bodies once the bodies are as long as the exchange says."""
    request, response = (monitor.body(flow, side) for side in ("request", "response"))
    detail = monitor.api(f"/api/flows/{flow}")
    facts = detail["exchange"]
    lengths = (facts["request_body"]["bytes"], facts["response_body"]["bytes"])
    whole = (len(request.data), len(response.data)) == lengths
    return (detail, request, response) if whole else None


def no_secret(detail: dict[str, Any]) -> None:
    assert "not-a-key" not in json.dumps(detail), "credentials are replaced before they are recorded"


def texts(choice: dict[str, Any], kind: str) -> str:
    parts = choice["message"]["parts"]
    return "".join(part["text"] for part in parts if part["kind"] == kind)


def calls(choice: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    parts = choice["message"]["parts"]
    return [(part["name"], json.loads(part["arguments"])) for part in parts if part["kind"] == "tool_call"]
