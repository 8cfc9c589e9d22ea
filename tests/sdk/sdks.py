"""The SDKs behind the same methods, so that each test runs with all of them; OpenAI's twice, for its two APIs.

An `Answer` holds what the SDK returned in two forms: `dump`, everything as the SDK's own models dump it, for the
comparison of two calls; and the few facts that every dialect has, for the comparison with the monitor's reading.

Length: one class a client, all with the same methods, read side by side.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import anthropic
import openai
from google import genai
from google.genai import types

# Members that say when or as what a call was made, not what was answered.
VOLATILE = {"completed_at", "created", "created_at", "request_id", "sdk_http_response"}
SYSTEM = "You answer in one paragraph."
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC"
)
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
    "required": ["city"],
}
CONVERT = {
    "type": "object",
    "properties": {"amount": {"type": "number"}, "from": {"type": "string"}, "to": {"type": "string"}},
    "required": ["amount", "from", "to"],
}
TOOLS = (
    ("get_weather", "Returns the weather in a city.", WEATHER),
    ("convert_currency", "Converts an amount of money.", CONVERT),
)


@dataclass
class Answer:
    """What an SDK returned."""

    dump: list[Any] = field(default_factory=list)
    text: str = ""
    thinking: str = ""
    refusal: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stop: str | None = None
    tokens: dict[str, int] = field(default_factory=dict)
    error: tuple[str, str] | None = None

    def keep(self, item: Any) -> None:
        """Adds what an SDK returned to the dump."""
        self.dump.append(settled(item.model_dump(mode="json")))


def settled(value: Any) -> Any:
    """Returns a dump without its volatile members."""
    if isinstance(value, dict):
        return {name: settled(item) for name, item in value.items() if name not in VOLATILE}
    if isinstance(value, list):
        return [settled(item) for item in value]
    return value


def result_of(name: str, arguments: dict[str, Any]) -> str:
    """Returns what a tool returns: something that follows from its arguments."""
    return json.dumps({"tool": name, "of": sorted(arguments)}, sort_keys=True)


class Sdk:
    """What every SDK can do. `retries` is how often it tries again by itself."""

    name: ClassVar[str]
    dialect: ClassVar[str]
    errors: ClassVar[tuple[type[Exception], ...]]
    stops: ClassVar[dict[str, str]]
    # A stream of this dialect is broken where its closing event is missing.
    closes: ClassVar[bool] = False
    # It tries again by itself and says which attempt a request is.
    retrying: ClassVar[bool]

    def __init__(self, url: str, retries: int = 0) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def ask(self, model: str, prompt: str, stream: bool = False, leave_after: int | None = None) -> Answer:
        """Asks once. With `leave_after` the stream is closed after so many events."""
        raise NotImplementedError

    def picture(self, model: str, prompt: str) -> Answer:
        raise NotImplementedError

    def tool_loop(self, model: str, prompt: str, stream: bool) -> list[Answer]:
        """Asks, runs the tools that are called, and sends their results."""
        raise NotImplementedError

    def failing(self, model: str, prompt: str, stream: bool) -> Answer:
        """Asks, and returns the error that the SDK raises together with what came before it."""
        answer = Answer()
        try:
            self.ask_into(answer, model, prompt, stream)
        except self.errors as error:
            answer.error = (f"{type(error).__module__}.{type(error).__name__}", without_id(str(error)))
        return answer

    def ask_into(self, answer: Answer, model: str, prompt: str, stream: bool) -> None:
        raise NotImplementedError


def without_id(message: str) -> str:
    """Returns an error's message without the id of its request."""
    head, mark, _ = message.partition("'request_id'")
    return head + mark


class OpenAi(Sdk):
    name = "openai"
    dialect = "openai_chat"
    errors = (openai.OpenAIError, Exception)
    stops = {"stop": "stop", "tool_calls": "tool_use", "length": "length"}
    retrying = True

    def __init__(self, url: str, retries: int = 0) -> None:
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-not-a-key-0001", max_retries=retries)

    def close(self) -> None:
        self.client.close()

    def messages(self, prompt: Any) -> list[Any]:
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}]

    def ask(self, model: str, prompt: str, stream: bool = False, leave_after: int | None = None) -> Answer:
        answer = Answer()
        self.send(answer, self.messages(prompt), model, stream, leave_after)
        return answer

    def ask_into(self, answer: Answer, model: str, prompt: str, stream: bool) -> None:
        self.send(answer, self.messages(prompt), model, stream)

    def picture(self, model: str, prompt: str) -> Answer:
        url = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
        answer = Answer()
        parts = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": url}}]
        self.send(answer, self.messages(parts), model, stream=False)
        return answer

    def tool_loop(self, model: str, prompt: str, stream: bool) -> list[Answer]:
        tools = [
            {"type": "function", "function": {"name": name, "description": text, "parameters": schema}}
            for name, text, schema in TOOLS
        ]
        messages, first, second = self.messages(prompt), Answer(), Answer()
        ids = self.send(first, messages, model, stream, tools=tools)
        calls = [
            {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for id, (name, arguments) in zip(ids, first.calls, strict=True)
        ]
        messages.append({"role": "assistant", "content": first.text, "tool_calls": calls})
        for id, (name, arguments) in zip(ids, first.calls, strict=True):
            messages.append({"role": "tool", "tool_call_id": id, "content": result_of(name, arguments)})
        self.send(second, messages, model, stream, tools=tools)
        return [first, second]

    def send(
        self,
        answer: Answer,
        messages: list[Any],
        model: str,
        stream: bool,
        leave_after: int | None = None,
        tools: Any = openai.omit,
    ) -> list[str]:
        """Sends a request, adds what comes to `answer`, and returns the ids of the calls."""
        create = self.client.chat.completions.create
        if not stream:
            completion = create(model=model, messages=messages, tools=tools)
            answer.keep(completion)
            self.usage(answer, completion.usage)
            choice = completion.choices[0]
            answer.text = choice.message.content or ""
            answer.refusal = choice.message.refusal or ""
            answer.stop = choice.finish_reason
            made = choice.message.tool_calls or []
            answer.calls = [(call.function.name, json.loads(call.function.arguments)) for call in made]
            return [call.id for call in made]
        options = {"include_usage": True}
        chunks = create(model=model, messages=messages, tools=tools, stream=True, stream_options=options)
        calls: dict[int, list[str]] = {}
        with chunks:
            for chunk in chunks:
                answer.keep(chunk)
                self.chunk(answer, calls, chunk)
                if len(answer.dump) == leave_after:
                    break
        made = [calls[index] for index in sorted(calls)]
        if leave_after is None:
            answer.calls = [(name, json.loads(arguments)) for _, name, arguments in made]
        return [id for id, _, _ in made]

    def chunk(self, answer: Answer, calls: dict[int, list[str]], chunk: Any) -> None:
        self.usage(answer, chunk.usage)
        for choice in chunk.choices:
            answer.text += choice.delta.content or ""
            answer.refusal += choice.delta.refusal or ""
            answer.stop = choice.finish_reason or answer.stop
            for call in choice.delta.tool_calls or []:
                kept = calls.setdefault(call.index, [call.id or "", call.function.name or "", ""])
                kept[2] += call.function.arguments or ""

    def usage(self, answer: Answer, usage: Any) -> None:
        if usage is not None:
            answer.tokens = {
                "input": usage.prompt_tokens,
                "output": usage.completion_tokens,
                "total": usage.total_tokens,
                "cache_read": usage.prompt_tokens_details.cached_tokens,
                "reasoning": usage.completion_tokens_details.reasoning_tokens,
            }


class OpenAiResponses(OpenAi):
    name = "responses"
    dialect = "openai_responses"
    stops = {"completed": "stop", "max_output_tokens": "length"}
    closes = True

    def picture(self, model: str, prompt: str) -> Answer:
        url = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
        answer = Answer()
        parts = [{"type": "input_text", "text": prompt}, {"type": "input_image", "image_url": url}]
        self.send(answer, self.messages(parts), model, stream=False)
        return answer

    def tool_loop(self, model: str, prompt: str, stream: bool) -> list[Answer]:
        tools = [
            {"type": "function", "name": name, "description": text, "parameters": schema, "strict": False}
            for name, text, schema in TOOLS
        ]
        items, first, second = self.messages(prompt), Answer(), Answer()
        ids = self.send(first, items, model, stream, tools=tools)
        for id, (name, arguments) in zip(ids, first.calls, strict=True):
            call = {"type": "function_call", "call_id": id, "name": name, "arguments": json.dumps(arguments)}
            items.append(call)
        for id, (name, arguments) in zip(ids, first.calls, strict=True):
            items.append({"type": "function_call_output", "call_id": id, "output": result_of(name, arguments)})
        self.send(second, items, model, stream, tools=tools)
        return [first, second]

    def send(
        self,
        answer: Answer,
        messages: list[Any],
        model: str,
        stream: bool,
        leave_after: int | None = None,
        tools: Any = openai.omit,
    ) -> list[str]:
        """Sends a request, adds what comes to `answer`, and returns the ids of the calls."""
        asked = {"model": model, "instructions": SYSTEM, "input": messages, "tools": tools}
        if not stream:
            return self.response(answer, self.client.responses.create(**asked))
        ids: list[str] = []
        with self.client.responses.create(**asked, stream=True) as events:
            for event in events:
                answer.keep(event)
                if event.type == "response.output_text.delta":
                    answer.text += event.delta
                elif event.type in ("response.completed", "response.incomplete"):
                    answer.text = ""
                    ids = self.response(answer, event.response)
                if len(answer.dump) == leave_after:
                    break
        return ids

    def messages(self, prompt: Any) -> list[Any]:
        return [{"role": "user", "content": prompt}]

    def response(self, answer: Answer, response: Any) -> list[str]:
        answer.keep(response)
        ids = []
        for item in response.output:
            if item.type == "function_call":
                ids.append(item.call_id)
                answer.calls.append((item.name, json.loads(item.arguments)))
            elif item.type == "reasoning":
                answer.thinking += "".join(part.text for part in item.summary)
            else:
                answer.text += "".join(part.text for part in item.content if part.type == "output_text")
                answer.refusal += "".join(part.refusal for part in item.content if part.type == "refusal")
        details = response.incomplete_details
        answer.stop = details.reason if details else response.status
        usage = response.usage
        answer.tokens = {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "total": usage.total_tokens,
            "cache_read": usage.input_tokens_details.cached_tokens,
            "reasoning": usage.output_tokens_details.reasoning_tokens,
        }
        return ids


class Anthropic(Sdk):
    name = "anthropic"
    dialect = "anthropic_messages"
    errors = (anthropic.AnthropicError, Exception)
    stops = {"end_turn": "stop", "tool_use": "tool_use", "max_tokens": "length", "refusal": "content_filter"}
    closes = True
    retrying = True

    def __init__(self, url: str, retries: int = 0) -> None:
        self.client = anthropic.Anthropic(base_url=url, api_key="sk-ant-not-a-key-0001", max_retries=retries)

    def close(self) -> None:
        self.client.close()

    def ask(self, model: str, prompt: str, stream: bool = False, leave_after: int | None = None) -> Answer:
        answer = Answer()
        self.send(answer, [{"role": "user", "content": prompt}], model, stream, leave_after)
        return answer

    def ask_into(self, answer: Answer, model: str, prompt: str, stream: bool) -> None:
        self.send(answer, [{"role": "user", "content": prompt}], model, stream)

    def picture(self, model: str, prompt: str) -> Answer:
        data = base64.b64encode(PICTURE).decode()
        source = {"type": "base64", "media_type": "image/png", "data": data}
        answer = Answer()
        content = [{"type": "text", "text": prompt}, {"type": "image", "source": source}]
        self.send(answer, [{"role": "user", "content": content}], model, stream=False)
        return answer

    def tool_loop(self, model: str, prompt: str, stream: bool) -> list[Answer]:
        tools = [{"name": name, "description": text, "input_schema": schema} for name, text, schema in TOOLS]
        messages: list[Any] = [{"role": "user", "content": prompt}]
        first, second = Answer(), Answer()
        content = self.send(first, messages, model, stream, tools=tools)
        messages.append({"role": "assistant", "content": content})
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": result_of(block.name, block.input)}
            for block in content
            if block.type == "tool_use"
        ]
        messages.append({"role": "user", "content": results})
        self.send(second, messages, model, stream, tools=tools)
        return [first, second]

    def send(
        self,
        answer: Answer,
        messages: list[Any],
        model: str,
        stream: bool,
        leave_after: int | None = None,
        tools: Any = anthropic.omit,
    ) -> list[Any]:
        """Sends a request, adds what comes to `answer`, and returns the content blocks."""
        asked = {"model": model, "max_tokens": 1024, "system": SYSTEM, "messages": messages, "tools": tools}
        if not stream:
            message = self.client.messages.create(**asked)
        else:
            with self.client.messages.stream(**asked) as events:
                for event in events:
                    answer.keep(event)
                    if len(answer.dump) == leave_after:
                        self.message(answer, events.current_message_snapshot)
                        return []
                message = events.get_final_message()
        answer.keep(message)
        self.message(answer, message)
        return message.content

    def message(self, answer: Answer, message: Any) -> None:
        for block in message.content:
            if block.type == "text":
                answer.text += block.text
            elif block.type == "thinking":
                answer.thinking += block.thinking
            elif block.type == "tool_use":
                answer.calls.append((block.name, block.input))
        answer.stop = message.stop_reason
        usage = message.usage
        read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        whole = usage.input_tokens + read + written
        answer.tokens = {
            "input": whole,
            "output": usage.output_tokens,
            "total": whole + usage.output_tokens,
            "cache_read": read,
            "cache_write": written,
        }


class Gemini(Sdk):
    name = "gemini"
    dialect = "gemini_generate"
    errors = (Exception,)
    stops = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter"}
    retrying = False

    def __init__(self, url: str, retries: int = 0) -> None:
        assert retries == 0, "this SDK does not send the number of the attempt"
        self.client = genai.Client(api_key="not-a-key-0001", http_options=types.HttpOptions(base_url=url))

    def close(self) -> None:
        self.client.close()

    def ask(self, model: str, prompt: str, stream: bool = False, leave_after: int | None = None) -> Answer:
        answer = Answer()
        self.send(answer, [user(types.Part(text=prompt))], model, stream, leave_after)
        return answer

    def ask_into(self, answer: Answer, model: str, prompt: str, stream: bool) -> None:
        self.send(answer, [user(types.Part(text=prompt))], model, stream)

    def picture(self, model: str, prompt: str) -> Answer:
        answer = Answer()
        part = types.Part.from_bytes(data=PICTURE, mime_type="image/png")
        self.send(answer, [user(types.Part(text=prompt), part)], model, stream=False)
        return answer

    def tool_loop(self, model: str, prompt: str, stream: bool) -> list[Answer]:
        declared = [
            types.FunctionDeclaration(name=name, description=text, parameters_json_schema=schema)
            for name, text, schema in TOOLS
        ]
        tools = [types.Tool(function_declarations=declared)]
        contents, first, second = [user(types.Part(text=prompt))], Answer(), Answer()
        parts = self.send(first, contents, model, stream, tools=tools)
        contents.append(types.Content(role="model", parts=parts))
        results = []
        for part in parts:
            call = part.function_call
            if call is not None:
                response = types.FunctionResponse(
                    id=call.id, name=call.name, response={"output": result_of(call.name, call.args)}
                )
                results.append(types.Part(function_response=response))
        contents.append(user(*results))
        self.send(second, contents, model, stream, tools=tools)
        return [first, second]

    def send(
        self,
        answer: Answer,
        contents: list[Any],
        model: str,
        stream: bool,
        leave_after: int | None = None,
        tools: Any = None,
    ) -> list[Any]:
        """Sends a request, adds what comes to `answer`, and returns the parts."""
        config = types.GenerateContentConfig(system_instruction=SYSTEM, tools=tools)
        asked = {"model": model, "contents": contents, "config": config}
        parts: list[Any] = []
        if not stream:
            self.chunk(answer, parts, self.client.models.generate_content(**asked))
            return parts
        for chunk in self.client.models.generate_content_stream(**asked):
            self.chunk(answer, parts, chunk)
            if len(answer.dump) == leave_after:
                # The stream has no way to close it; closing the client closes its connection.
                self.client.close()
                break
        return parts

    def chunk(self, answer: Answer, parts: list[Any], chunk: Any) -> None:
        answer.keep(chunk)
        for candidate in chunk.candidates or []:
            content = candidate.content
            for part in (content and content.parts) or []:
                parts.append(part)
                if part.thought:
                    answer.thinking += part.text or ""
                elif part.function_call is not None:
                    answer.calls.append((part.function_call.name, part.function_call.args))
                else:
                    answer.text += part.text or ""
            if candidate.finish_reason is not None:
                answer.stop = candidate.finish_reason.value
        usage = chunk.usage_metadata
        if usage is not None:
            thoughts = usage.thoughts_token_count or 0
            answer.tokens = {
                "input": usage.prompt_token_count,
                "output": (usage.candidates_token_count or 0) + thoughts,
                "total": usage.total_token_count,
                "cache_read": usage.cached_content_token_count or 0,
                "reasoning": thoughts,
            }


def user(*parts: Any) -> Any:
    return types.Content(role="user", parts=list(parts))


SDKS: tuple[type[Sdk], ...] = (OpenAi, OpenAiResponses, Anthropic, Gemini)
