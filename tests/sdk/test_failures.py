"""Calls that do not go well: error statuses, errors inside streams, broken and aborted streams, retries."""

from __future__ import annotations

import pytest
from conftest import Both
from programs import Monitor, Provider
from records import Recorded, texts
from sdks import SDKS, Answer, Sdk

PROMPT = "Tell me about TLS."
CLASSES = {
    400: "bad_request",
    401: "authentication",
    404: "model_unavailable",
    429: "rate_limit",
    500: "server_error",
    503: "overloaded",
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", CLASSES)
def test_error_status(both: Both, sdk: type[Sdk], status: int, stream: bool) -> None:
    pair = both(lambda client: client.failing(f"fake-status-{status}", PROMPT, stream))
    assert pair.answer.error is not None
    assert str(status) in pair.answer.error[1]
    if record := pair.record:
        record.ended("failed", "upstream_error", status)
        error = record.reading["response"]["error"]
        assert error["message"] in pair.answer.error[1]
        if not (sdk.name == "anthropic" and status == 503):
            # Anthropic says that it is overloaded with 529; its 503 is an api_error.
            assert error["class"] == CLASSES[status], error
        if status in (429, 503):
            assert error["retry_after_us"] == 2_000_000
        assert record.flow["ttft_us"] is None


def test_overloaded(both: Both, sdk: type[Sdk]) -> None:
    pair = both(lambda client: client.failing("fake-status-529", PROMPT, stream=False))
    if record := pair.record:
        record.ended("failed", "upstream_error", 529)
        assert record.reading["response"]["error"]["class"] in ("overloaded", "server_error")


def test_compressed_error(both: Both, sdk: type[Sdk]) -> None:
    pair = both(lambda client: client.failing("fake-status-429--gzip", PROMPT, stream=False))
    if record := pair.record:
        record.ended("failed", "upstream_error", 429)
        assert record.reading["response"]["error"]["class"] == "rate_limit"


def test_error_inside_a_stream(both: Both, sdk: type[Sdk]) -> None:
    pair = both(lambda client: client.failing("demo-long--error-9", PROMPT, stream=True))
    assert pair.answer.error is not None
    assert len(pair.answer.dump) >= 5, "what came before the error reached the caller"
    if record := pair.record:
        record.ended("failed", "upstream_error")
        response = record.reading["response"]
        assert response["outcome"] == "stream_error"
        assert response["error"]["message"] in pair.answer.error[1]
        assert texts(response["choices"][0], "text").startswith("## 1. ClientHello")


def test_stream_that_breaks_off(both: Both, sdk: type[Sdk]) -> None:
    pair = both(lambda client: client.failing("demo-long--break-9", PROMPT, stream=True))
    assert pair.answer.error is not None, "an unfinished body reaches the client as such"
    if record := pair.record:
        record.ended("failed", "upstream_break")
        begun(record, pair.answer)


def test_stream_without_its_closing_event(both: Both, sdk: type[Sdk]) -> None:
    """The body ends well, the answer in it does not."""
    pair = both(lambda client: client.failing("demo-long--end-9", PROMPT, stream=True))
    if record := pair.record:
        if sdk.closes:
            record.ended("failed", "upstream_break")
        else:
            # Too many imitations leave the closing event out, so that the end of the body has to do.
            record.ended("completed", "ended")
            assert record.flow["stop"] is None
        begun(record, pair.answer)


def begun(record: Recorded, answer: Answer) -> None:
    """Checks that the beginning that the client saw is kept."""
    text = texts(record.reading["response"]["choices"][0], "text")
    assert text.startswith("## 1. ClientHello")
    assert text.startswith(answer.text)
    assert record.flow["ttft_us"] > 0


def test_stream_that_is_reset(both: Both, sdk: type[Sdk]) -> None:
    # How much of it arrives before the reset is chance.
    pair = both(lambda client: client.failing("demo-long--delay-20--abort-9", PROMPT, stream=True), same=False)
    assert pair.answer.error is not None
    if record := pair.record:
        record.ended("failed", "upstream_break")
        assert record.exchange["response_body"]["bytes"] > 0


def test_empty_stream(both: Both, sdk: type[Sdk]) -> None:
    pair = both(lambda client: client.failing("demo-text--empty", PROMPT, stream=True))
    if record := pair.record:
        record.ended("failed", "empty")


def test_abort(both: Both, sdk: type[Sdk]) -> None:
    """A client that leaves ends the call at the provider, and what had arrived is kept."""
    pair = both(lambda client: client.ask("demo-long--delay-30", PROMPT, True, leave_after=6), same=False)
    assert pair.answer.text, "something arrived before the client left"
    if record := pair.record:
        record.ended("cancelled", "client_abort")
        assert record.provider["end"] == "aborted_by_peer"
        response = record.reading["response"]
        text = texts(response["choices"][0], "text")
        assert text.startswith(pair.answer.text)
        assert record.flow["ttft_us"] > 0
        assert not record.exchange["response_body"]["complete"]


@pytest.mark.parametrize("sdk", [kind for kind in SDKS if kind.retrying], indirect=True, ids=lambda kind: kind.name)
def test_retry(both: Both, sdk: type[Sdk]) -> None:
    """A rate limit, then an answer: two flows."""

    def call(client: Sdk) -> Answer:
        client.client = client.client.with_options(max_retries=1)
        return client.ask("demo-limited", PROMPT)

    pair = both(call, calls=2)
    assert "second one" in pair.answer.text
    if pair.records:
        first, second = pair.records
        first.ended("failed", "upstream_error", 429)
        second.says(sdk, pair.answer, stream=False)


def test_both_programs_are_up_afterwards(provider: Provider, monitor: Monitor | None) -> None:
    assert provider.process.poll() is None
    if monitor:
        assert monitor.process.poll() is None
        health = monitor.api("/api/health")
        assert health is not None
