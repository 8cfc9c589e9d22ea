"""Compares costs with those that genai-prices and LiteLLM compute from the same raw usage.

Reads readings as JSON lines, from a file or standard input: {id, provider, api, model, at, tier, usage_raw, tokens,
cost}. What a reading lacks of these is looked up by its id in the corpus, where one is given. A cost that neither
source computes must be explained by one of the RULES below, which look at models, fields and conditions and never at
a single reading. Exits with 1 where one is not.

    python compare.py [--corpus CORPUS] [readings.jsonl]
"""

import argparse
import collections
import datetime
import decimal
import json
import os
import sys

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("LITELLM_LOG", "CRITICAL")

import litellm  # noqa: E402
from genai_prices import data_snapshot  # noqa: E402
from genai_prices.types import Usage as GenaiUsage  # noqa: E402
from corpus import AT_US, readings  # noqa: E402
from litellm.types.utils import CompletionTokensDetailsWrapper, PromptTokensDetailsWrapper, Usage  # noqa: E402

litellm.suppress_debug_info = True
NEAR = decimal.Decimal("1e-11")
GENAI = {"bedrock": "aws", "gemini": "google", "vertex": "google", "xai": "x-ai", "moonshot": "moonshotai",
         "voyage": "voyageai", "alibaba": "qwen"}
LITELLM = {"vertex": ["vertex_ai"], "together": ["together_ai"], "qwen": ["dashscope"], "alibaba": ["dashscope"],
           "azure": ["azure", "azure_ai"], "bedrock": ["bedrock", "bedrock_converse", "bedrock_mantle"],
           "fireworks": ["fireworks_ai"], "voyageai": ["voyage"]}
LITELLM_NAMES = set(litellm.model_cost)
STANDARD = {"", "auto", "default", "on_demand", "standard"}


# === What the sources compute ===

def tier_of(row):
    tier = (row.get("tier") or "").lower().removeprefix("on_demand_")
    return None if tier in STANDARD else tier


def camel(value):
    """Google's SDK turns names into snake case; the extractors want the wire's."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    def name(key):
        first, *rest = key.split("_")
        return first + "".join(word.capitalize() for word in rest)
    return {name(key): camel(item) for key, item in value.items()}


def genai_extracted(row, provider):
    """Returns the usage that the provider's own extractor finds, or None where it has none for the shape."""
    raw, api = row["usage_raw"], row["api"]
    shapes = {
        "messages": [("default", {"usage": raw}), ("anthropic", {"usage": raw})],
        "invoke_model": [("anthropic", {"usage": raw})],
        "chat_completions": [("chat", {"usage": raw}), ("default", {"usage": raw})],
        "responses": [("responses", {"usage": raw})],
        "embeddings": [("embeddings", {"usage": raw, "meta": raw})],
        "generate_content": [("default", {"usageMetadata": camel(raw)})],
        "converse": [("default", {"usage": raw})],
        "chat": [("default", {"usage": raw})],
    }.get(api, [("chat", {"usage": raw})])
    for flavor, data in shapes:
        try:
            _, usage = provider.extract_usage(data, api_flavor=flavor)
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
        return usage
    return None


def genai_plain(row):
    """Returns the usage of the common counts."""
    tokens = row["tokens"]
    names = {"input": "input_tokens", "output": "output_tokens", "cache_read": "cache_read_tokens",
             "cache_write": "cache_write_tokens", "cache_write_1h": "cache_write_1h_tokens",
             "input_audio": "input_audio_tokens", "output_audio": "output_audio_tokens",
             "cache_read_audio": "cache_audio_read_tokens", "output_image": "output_image_tokens"}
    counts = {theirs: tokens[ours] for ours, theirs in names.items() if tokens.get(ours) is not None}
    searches = (row.get("units") or {}).get("searches")
    return GenaiUsage(**counts, **({"web_searches": searches} if searches else {}))


def genai_costs(row):
    """Yields what genai-prices computes: from its own extraction, then from the common counts."""
    snapshot = data_snapshot.get_snapshot()
    name = GENAI.get(row["provider"], row["provider"])
    at = datetime.datetime.fromtimestamp(row["at"] / 1e6, tz=datetime.UTC)
    for provider_id in (name, None):
        try:
            provider, model = snapshot.find_provider_model(row["model"], None, provider_id, None)
        except LookupError:
            continue
        context = {"service_tier": tier_of(row)} if tier_of(row) else None
        for usage in (genai_extracted(row, provider), genai_plain(row)):
            if usage is None:
                continue
            try:
                found = model.calc_price(usage, provider, genai_request_timestamp=at, price_context=context)
            except (ValueError, LookupError):
                continue
            yield found.total_price
        return


def litellm_usage(row):
    """Returns LiteLLM's usage: by its own reading of the provider's shape, or of the common counts."""
    raw, api, tokens = row["usage_raw"], row["api"], row["tokens"]
    if api == "messages" or "cache_creation_input_tokens" in raw:
        from litellm.llms.anthropic.chat.transformation import AnthropicConfig
        yield AnthropicConfig().calculate_usage(usage_object=raw, reasoning_content=None)
    if api == "generate_content":
        from litellm.llms.vertex_ai.gemini.vertex_and_google_ai_studio_gemini import VertexGeminiConfig
        yield VertexGeminiConfig._calculate_usage({"usageMetadata": camel(raw)})
    if api == "responses":
        from litellm.responses.utils import ResponseAPILoggingUtils
        yield ResponseAPILoggingUtils._transform_response_api_usage_to_chat_usage(dict(raw))
    if api == "chat_completions":
        yield Usage(**raw)
    yield Usage(
        prompt_tokens=tokens.get("input") or 0,
        completion_tokens=tokens.get("output") or 0,
        total_tokens=(tokens.get("input") or 0) + (tokens.get("output") or 0),
        prompt_tokens_details=PromptTokensDetailsWrapper(
            cached_tokens=tokens.get("cache_read") or 0, audio_tokens=tokens.get("input_audio") or 0,
            cache_creation_tokens=tokens.get("cache_write") or 0),
        completion_tokens_details=CompletionTokensDetailsWrapper(
            reasoning_tokens=tokens.get("reasoning") or 0, audio_tokens=tokens.get("output_audio") or 0),
        cache_creation_input_tokens=tokens.get("cache_write") or 0,
        cache_read_input_tokens=tokens.get("cache_read") or 0,
    )


def litellm_knows(provider, model):
    """Returns whether LiteLLM's list has a model; where it has not, some of its functions answer 0."""
    return bool({model, f"{provider}/{model}"} & LITELLM_NAMES)


def litellm_costs(row):
    """Yields what LiteLLM computes."""
    call = "embedding" if row["api"] == "embeddings" else "completion"
    try:
        usages = list(litellm_usage(row))
    except Exception:  # Its readers fail in many ways on shapes that they do not expect.
        usages = []
    for provider in LITELLM.get(row["provider"], [row["provider"]]):
        for usage in usages:
            try:
                prompt, answer = litellm.cost_per_token(
                    model=row["model"], custom_llm_provider=provider, usage_object=usage,
                    prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens,
                    service_tier=tier_of(row), call_type=call)
            except Exception:  # An unknown model is an exception, of several kinds.
                continue
            if prompt + answer > 0 or litellm_knows(provider, row["model"]):
                yield decimal.Decimal(repr(prompt)) + decimal.Decimal(repr(answer))


# === Why a cost may differ from both ===

def written_beside_prompt(row, ours, others):
    """Cache reads and writes are more than the prompt: the writes are paid on top, as the wire's own cost says."""
    tokens, charged = row["tokens"], row["usage_raw"].get("cost")
    parts = (tokens.get("cache_read") or 0) + (tokens.get("cache_write") or 0)
    exact = isinstance(charged, float) and abs(ours - decimal.Decimal(repr(charged))) <= ours / 10_000
    return parts > (tokens.get("input") or 0) and exact


def another_name(row, ours, others):
    """The sources know the price under another name: without region, date or vendor, or at the model's vendor."""
    provider, _, model = row["cost"]["price"].partition("/")
    asked = {**row, "provider": provider, "model": model}
    return any(near(ours, other) for other in [*genai_costs(asked), *litellm_costs(asked)])


def not_tokens(row, ours, others):
    """Sound by the second, images made, and the images among an answer's tokens: the sources' readers of usage leave
    them out, though their tables have the prices."""
    return any(line["what"] in ("audio_ms", "image", "output_image") for line in row["cost"]["lines"])


RULES = [
    ("images and seconds of sound, which the sources' readers leave out", not_tokens),
    ("cache writes come on top of the prompt", written_beside_prompt),
    ("the same price under the name that it was found by", another_name),
]


def own_machine(row, genai, lite):
    """A model on the user's own machine does not cost what its vendor takes."""
    return row["provider"] in ("local", "ollama", "lmstudio")


def paid_by_query(row, genai, lite):
    """A model that ranks is paid by the query, which no reading counts."""
    names = LITELLM_NAMES & {row["model"], f"{row['provider']}/{row['model']}"}
    return any(litellm.model_cost[name].get("input_cost_per_query") for name in names)


UNPRICED_RULES = [
    ("paid by the query", paid_by_query),
    ("served on the user's own machine", own_machine),
]


def near(ours, other):
    return abs(ours - other) <= max(NEAR, abs(ours) * decimal.Decimal("1e-9"))


def judge(row):
    """Returns the verdict on one reading, and details where it is a difference."""
    if row["tokens"].get("input") is None and row["tokens"].get("output") is None and row.get("cost") is None:
        return "nothing is counted", None
    genai, lite = list(genai_costs(row)), list(litellm_costs(row))
    cost = row.get("cost")
    if cost is None:
        if not genai and not lite:
            return "none of the three has a price", None
        for name, rule in UNPRICED_RULES:
            if rule(row, genai, lite):
                return f"no price, by rule: {name}", None
        return "DIFFERENCE: no price", (genai, lite)
    ours = decimal.Decimal(cost["total"])
    by_genai = any(near(ours, other) for other in genai)
    by_lite = any(near(ours, other) for other in lite)
    if by_genai or by_lite:
        which = "both" if by_genai and by_lite else "genai-prices" if by_genai else "litellm"
        other = "" if by_genai and by_lite else ", the other differs" if genai and lite else ", the other has none"
        return f"equal to {which}{other}", None
    for name, rule in RULES:
        if rule(row, ours, genai + lite):
            return f"differs, by rule: {name}", None
    return "DIFFERENCE: cost", (ours, genai, lite)


def wire_cost(row):
    """Returns what the provider itself says that the call cost: xAI and OpenRouter do."""
    raw = row["usage_raw"]
    if raw.get("cost_in_usd_ticks") is not None:
        return decimal.Decimal(raw["cost_in_usd_ticks"]) / 10**10
    return decimal.Decimal(repr(raw["cost"])) if isinstance(raw.get("cost"), float) else None


def against_the_wire(row):
    """Returns how a cost compares with the provider's own; it is told only, since the table may be younger."""
    charged, cost = wire_cost(row), row.get("cost")
    if charged is None or cost is None:
        return None
    equal = abs(decimal.Decimal(cost["total"]) - charged) <= charged / 200
    return "equal" if equal else "not equal"


def rows(arguments):
    known = {row["id"]: row for row in readings(arguments.corpus)} if arguments.corpus else {}
    for line in arguments.readings:
        row = json.loads(line)
        told = {name: value for name, value in row.items() if value is not None}
        lacking = {**dict.fromkeys(("api", "model", "provider", "tier", "units")), "at": AT_US}
        lacking |= known.get(row.get("id"), {})
        asked = (row.get("request") or {}).get("model")
        row = {**lacking, **told, "cost": row.get("cost")}
        row["model"] = row["model"] or asked or ""
        if isinstance(row.get("usage_raw"), dict) and row.get("tokens") and row.get("api") != "count_tokens":
            yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus")
    parser.add_argument("readings", nargs="?", type=argparse.FileType(), default=sys.stdin)
    verdicts, wire, causes = collections.Counter(), collections.Counter(), collections.defaultdict(list)
    for row in rows(parser.parse_args()):
        verdict, details = judge(row)
        verdicts[verdict] += 1
        wire[against_the_wire(row)] += 1
        if details is not None:
            causes[(verdict, row["provider"], row["api"], row["model"])].append((row, details))
    for verdict, count in sorted(verdicts.items(), key=lambda item: -item[1]):
        print(f"{count:6}  {verdict}")
    print(f"Beside the cost on the wire, to half a per cent: {wire['equal']} equal, {wire['not equal']} not.")
    for (verdict, provider, api, model), found in sorted(causes.items(), key=str):
        row, details = found[0]
        shown = [[str(value) for value in part] if isinstance(part, list) else str(part) for part in details]
        print(f"\n{verdict}: {len(found)} × {provider} {api} {model}: {shown}")
        print(f"  usage {json.dumps(row['usage_raw'])[:300]}")
        print(f"  cost {json.dumps(row['cost'])[:400]}")
    return 1 if causes else 0


if __name__ == "__main__":
    sys.exit(main())
