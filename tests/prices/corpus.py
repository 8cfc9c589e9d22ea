"""What a reading lacks to be compared: who served a call of the corpus, which model at which tier, and when."""

import json
import re
from pathlib import Path

# Noon in UTC on the day of the table: every price that started by then applies, and no off-peak one.
AT_US = 1_795_262_400_000_000
COUNTING = {"count_tokens"}


def modality(raw, names, wanted):
    for name in names:
        for item in raw.get(name) or []:
            if str(item.get("modality", "")).upper() == wanted:
                return number(item.get("token_count", item.get("tokenCount", item.get("tokens"))))
    return None


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
                }

