"""Calls that go well: text, streams, thinking, tools, pictures, compressed bodies, odd framing."""

from __future__ import annotations

import json

import pytest
from conftest import Both
from programs import Monitor, Provider
from records import texts
from sdks import PICTURE, TOOLS, Answer, Sdk

PROMPT = "Was ist ein Write-Ahead-Log? 为什么? 🦀"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", ["text", "chinese", "thinking", "length", "refusal"])
def test_answer(both: Both, sdk: type[Sdk], name: str, stream: bool) -> None:
    pair = both(lambda client: client.ask(f"demo-{name}", PROMPT, stream))
    # Gemini refuses without a word.
    assert pair.answer.text or pair.answer.refusal or (name, sdk.name) == ("refusal", "gemini")
    if record := pair.record:
        record.says(sdk, pair.answer, stream)
        assert record.flow["model"] == f"demo-{name}"
        asked = record.reading["request"]
        assert asked["model"] == f"demo-{name}"
        assert asked["messages"][-1]["parts"][0]["text"] == PROMPT
        assert PROMPT in record.flow["preview"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_compressed(both: Both, sdk: type[Sdk], coding: str, stream: bool) -> None:
    pair = both(lambda client: client.ask(f"demo-chinese--{coding}", PROMPT, stream))
    assert pair.answer.text.endswith("“完”")
    if record := pair.record:
        record.says(sdk, pair.answer, stream)
        assert record.exchange["response_body"]["coding"] == coding


@pytest.mark.parametrize("oddity", ["split-7", "split-1", "utf8", "gzip--split-3", "crlf", "delay-3", "stall-50--at-3"])
def test_framing(both: Both, sdk: type[Sdk], oddity: str) -> None:
    pair = both(lambda client: client.ask(f"demo-chinese--{oddity}", PROMPT, stream=True))
    assert pair.answer.text.endswith("“完”")
    if record := pair.record:
        record.says(sdk, pair.answer, stream=True)


def test_whole_answer_without_a_length(both: Both, sdk: type[Sdk]) -> None:
    pair = both(lambda client: client.ask("demo-text--chunked", PROMPT))
    if record := pair.record:
        record.says(sdk, pair.answer, stream=False)


def test_large_answer(both: Both, sdk: type[Sdk]) -> None:
    pair = both(lambda client: client.ask("demo-text--huge-2", PROMPT))
    assert len(pair.answer.text) > 2_000_000
    if record := pair.record:
        record.says(sdk, pair.answer, stream=False)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_tool_loop(both: Both, sdk: type[Sdk], stream: bool) -> None:
    answers: list[Answer] = []

    def call(client: Sdk) -> Answer:
        answers[:] = client.tool_loop("demo-tools", PROMPT, stream)
        return Answer(dump=[answer.dump for answer in answers])

    pair = both(call, calls=2)
    first, second = answers
    assert [name for name, _ in first.calls] == ["get_weather", "get_weather", "convert_currency"]
    assert first.calls[1][1]["city"] == "東京"
    assert '{"of": ["city", "unit"], "tool": "get_weather"}' in second.text, "the results reached the provider"
    for record, answer in zip(pair.records, answers, strict=False):
        record.says(sdk, answer, stream)
        offered = record.reading["request"]["tools"]
        assert [tool["name"] for tool in offered] == [name for name, _, _ in TOOLS]
    if pair.records:
        parts = [part for message in pair.records[1].reading["request"]["messages"] for part in message["parts"]]
        results = [part for part in parts if part["kind"] == "tool_result"]
        assert len(results) == 3
        returned = results[0]["content"][0]["text"]
        # Gemini's results are objects; the text is the member `output`.
        returned = json.loads(returned)["output"] if sdk.name == "gemini" else returned
        assert returned in second.text
        assert pair.records[0].flow["tools"] == [name for name, _ in first.calls]


def test_picture(both: Both, sdk: type[Sdk]) -> None:
    pair = both(lambda client: client.picture("demo-image", "What is this?"))
    assert f"image/png of {len(PICTURE)} bytes" in pair.answer.text
    if record := pair.record:
        record.says(sdk, pair.answer, stream=False)
        parts = record.reading["request"]["messages"][-1]["parts"]
        pictures = [part["media"] for part in parts if part["kind"] == "image"]
        assert [picture["mime"] for picture in pictures] == ["image/png"]


def test_an_ended_flow_can_be_read_at_once(provider: Provider, sdk: type[Sdk], monitor: Monitor | None) -> None:
    """Whoever sees that a flow has ended finds its bodies and its reading."""
    if monitor is None:
        return
    for _ in range(5):
        known = {row["id"] for row in monitor.flows()}
        client = sdk(monitor.url)
        answer = client.ask("demo-text", PROMPT, stream=True)
        client.close()
        row = monitor.ended(known, 1)[0]
        detail = monitor.api(f"/api/flows/{row['id']}")
        sent = provider.log()[-1]
        assert len(monitor.body(row["id"], "request").data) == sent["request_bytes"]
        assert len(monitor.body(row["id"], "response").data) == sent["response_bytes"]
        assert texts(detail["reading"]["response"]["choices"][0], "text") == answer.text


def test_a_client_that_closes_at_the_end_has_not_aborted(both: Both, sdk: type[Sdk]) -> None:
    """OpenAI's SDK closes the connection at `[DONE]`, often before the end of the body arrives."""
    for _ in range(8):
        pair = both(lambda client: client.ask("demo-hello--delay-3", PROMPT, stream=True), same=False)
        if record := pair.record:
            record.ended("completed", "ended")


def test_flows_are_in_order(both: Both, sdk: type[Sdk], monitor: Monitor | None) -> None:
    first = both(lambda client: client.ask("demo-hello", "one")).record
    second = both(lambda client: client.ask("demo-hello", "two")).record
    if monitor and first and second:
        newest = [row["id"] for row in monitor.api("/api/flows?limit=2")["flows"]]
        assert newest == [second.flow["id"], first.flow["id"]]
