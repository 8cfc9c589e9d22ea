"""Prices the calls of a corpus with the table of flow-meter, for the comparison in compare.py.

The corpus keeps what the providers' own SDKs read from each answer. From that, this makes the token counts that
mean the same everywhere, prices them through the example program of flow-meter, and writes readings as JSON lines:
{id, provider, api, model, at, tier, speed, usage_raw, tokens, units, cost}.

    cargo build -p flow-meter --example price
    python corpus.py CORPUS target/debug/examples/price > readings.jsonl
"""

import json
import re
import subprocess
import sys
from pathlib import Path

# Noon in UTC on the day of the table: every price that started by then applies, and no off-peak one.
AT_US = 1_795_262_400_000_000
COUNTING = {"count_tokens"}


def number(value):
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def at_path(value, *path):
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def modality(raw, names, wanted):
    for name in names:
        for item in raw.get(name) or []:
            if str(item.get("modality", "")).upper() == wanted:
                return number(item.get("token_count", item.get("tokenCount", item.get("tokens"))))
    return None


def tokens_of(row, usage, raw):
    """Returns the common counts, by the rules of flow-codec."""
    inp, out = number(usage["input"]), number(usage["output"])
    read, write = number(usage["cache_read"]), number(usage["cache_write"])
    reasoning, total = number(usage["reasoning"]), number(usage["total"])
    provider, api = row["provider"], row["api"]
    anthropic_like = (api == "messages" or "input_tokens" in raw and "cache_creation_input_tokens" in raw
                      or provider == "bedrock" and api in ("converse", "invoke_model") or api == "converse")
    if api == "embeddings" and inp is None:
        inp = total
    if "billed_units" in raw:
        billed = raw["billed_units"]
        inp, out = number(billed.get("input_tokens")), number(billed.get("output_tokens"))
        read = write = reasoning = None
    elif anthropic_like and inp is not None:
        inp += (read or 0) + (write or 0)
    elif api == "generate_content" or api == "interactions":
        if out is not None or reasoning is not None:
            out = (out or 0) + (reasoning or 0)
        if total is not None and out is not None:
            inp = max(inp or 0, total - out)
        elif total is not None and inp is not None:
            out = total - inp
    elif api == "chat_completions":
        if provider == "gemini" and None not in (inp, out, total):
            hidden = max(0, total - inp - out)
            reasoning, out = reasoning or hidden or None, out + hidden
        elif reasoning and None not in (inp, out):
            plain = inp + out
            if total == plain + reasoning or (total is None and provider == "xai"):
                out += reasoning
    # A part is no more than the whole.
    read, write = (part if part is None or inp is None else min(part, inp) for part in (read, write))
    details = raw.get("prompt_tokens_details") if isinstance(raw.get("prompt_tokens_details"), dict) else {}
    answer = raw.get("completion_tokens_details") if isinstance(raw.get("completion_tokens_details"), dict) else {}
    gemini = isinstance(raw.get("prompt_tokens_details"), list) or isinstance(raw.get("promptTokensDetails"), list)
    prompt_lists = ("prompt_tokens_details", "promptTokensDetails") if gemini else ()
    answer_lists = ("candidates_tokens_details", "candidatesTokensDetails") if gemini else ()
    cache_lists = ("cache_tokens_details", "cacheTokensDetails") if gemini else ()
    found = {
        "input": inp, "output": out, "cache_read": read, "cache_write": write, "reasoning": reasoning,
        "total": None if None in (inp, out) else inp + out,
        "cache_write_1h": number(at_path(raw, "cache_creation", "ephemeral_1h_input_tokens")),
        "input_audio": modality(raw, prompt_lists, "AUDIO") or number(details.get("audio_tokens")),
        "cache_read_audio": modality(raw, cache_lists, "AUDIO"),
        "output_audio": modality(raw, answer_lists, "AUDIO") or number(answer.get("audio_tokens")),
        "output_image": modality(raw, answer_lists, "IMAGE"),
        "input_image": modality(raw, prompt_lists, "IMAGE"),
    }
    return {name: count for name, count in found.items() if count is not None or name in (
        "input", "output", "cache_read", "cache_write", "reasoning", "total")}


def provider_of(row):
    if row["provider"] == "other":
        return row["vendor"]
    if row["vendor"] == "vertex":
        return "vertex"
    return row["provider"]


def model_of(row, answer):
    url = row["request"].get("url") or ""
    body = row["request"].get("body") or ""
    asked = None
    try:
        asked = json.loads(body).get("model")
    except (ValueError, AttributeError):
        pass
    found = re.search(r"/models?/([^/:?]+(?:%3[aA]\d+)?)", url) or re.search(r"/deployments/([^/?]+)", url)
    in_path = found.group(1).replace("%3A", ":").replace("%3a", ":") if found else None
    order = [in_path, asked, answer] if row["provider"] == "bedrock" else [answer, asked, in_path]
    return next((model for model in order if model), None)


def readings(corpus):
    for path in sorted(Path(corpus).glob("*.jsonl")):
        expected = {}
        with (Path(corpus) / "expected" / path.name).open() as lines:
            for line in lines:
                row = json.loads(line)
                expected[row["id"]] = row
        with path.open() as lines:
            for line in lines:
                row = json.loads(line)
                answer = expected[row["id"]]
                usage, raw = answer.get("usage"), answer.get("usage_raw")
                if not usage or row["api"] in COUNTING:
                    continue
                # Where counts stand beside the answer, as at Ollama, there is no object of their own.
                raw = raw if isinstance(raw, dict) else {}
                body = row["response"].get("body") or ""
                tier = re.findall(r'"(?:service_tier|serviceTier|trafficType)"\s*:\s*"([^"]*)"', body)
                tier = raw.get("service_tier") or (tier[-1] if tier else None)
                yield {
                    "id": row["id"], "provider": provider_of(row), "api": row["api"],
                    "model": model_of(row, answer.get("model")) or "", "at": AT_US,
                    "tier": tier if isinstance(tier, str) else None, "speed": raw.get("speed"), "usage_raw": raw,
                    "tokens": tokens_of(row, usage, raw),
                    "units": {"searches": number(at_path(raw, "server_tool_use", "web_search_requests"))},
                }


def main():
    corpus, program = sys.argv[1:]
    rows = list(readings(corpus))
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    priced = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout
    for row, cost in zip(rows, priced.splitlines(), strict=True):
        print(json.dumps({**row, "cost": json.loads(cost)}))


if __name__ == "__main__":
    main()
