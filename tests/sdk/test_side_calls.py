"""Calls beside answers: embeddings and counts of tokens."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Both
from sdks import Anthropic, Answer, Gemini, OpenAi, Sdk

PROMPT = "Was ist ein Write-Ahead-Log? 为什么? 🦀"
DIMENSIONS = 8


def kept(result: Any) -> Answer:
    answer = Answer()
    answer.keep(result)
    return answer


@pytest.mark.parametrize("sdk", [OpenAi, Gemini], indirect=True, ids=lambda kind: kind.name)
def test_embeddings(both: Both, sdk: type[Sdk]) -> None:
    inputs = [PROMPT, "a second text"]

    def call(client: Sdk) -> Answer:
        if isinstance(client, OpenAi):
            create = client.client.embeddings.create
            return kept(create(model="demo-embedding", input=inputs, dimensions=DIMENSIONS))
        embed = client.client.models.embed_content
        config = {"output_dimensionality": DIMENSIONS}
        return kept(embed(model="demo-embedding", contents=inputs, config=config))

    pair = both(call)
    dump = pair.answer.dump[0]
    vectors = [item["embedding"] for item in dump["data"]] if "data" in dump else dump["embeddings"]
    assert len(vectors) == 2
    assert vectors[0] != vectors[1]
    if record := pair.record:
        record.ended("completed", "ended")
        assert not record.flow["streaming"]


@pytest.mark.parametrize("sdk", [Anthropic, Gemini], indirect=True, ids=lambda kind: kind.name)
def test_count_tokens(both: Both, sdk: type[Sdk]) -> None:
    def call(client: Sdk) -> Answer:
        if isinstance(client, Anthropic):
            count = client.client.messages.count_tokens
            return kept(count(model="demo-text", messages=[{"role": "user", "content": PROMPT}]))
        return kept(client.client.models.count_tokens(model="demo-text", contents=PROMPT))

    pair = both(call)
    counts = [value for name, value in pair.answer.dump[0].items() if name in ("input_tokens", "total_tokens")]
    assert counts[0] > 10
    if record := pair.record:
        record.ended("completed", "ended")
        assert not record.flow["streaming"]
