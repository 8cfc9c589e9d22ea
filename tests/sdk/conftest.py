"""Fixtures: both programs, once a run, and the pair of calls that each test makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from programs import Monitor, Provider
from records import Recorded, recorded
from sdks import SDKS, Answer, Sdk


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--direct", action="store_true", help="leave out the monitor")


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    assert provider.stop() == 0


@pytest.fixture(scope="session")
def monitor(provider: Provider, request: pytest.FixtureRequest) -> Iterator[Monitor | None]:
    if request.config.getoption("--direct"):
        yield None
        return
    monitor = Monitor(provider.url)
    yield monitor
    assert monitor.stop() == 0, "SIGTERM ends the monitor with 0"


@dataclass
class Pair:
    """What an SDK returned, and what was recorded of the call through the monitor."""

    answer: Answer
    records: list[Recorded]

    @property
    def record(self) -> Recorded | None:
        """Returns the only record; None where the monitor is left out."""
        assert len(self.records) <= 1
        return self.records[0] if self.records else None


Both = Callable[..., Pair]


@pytest.fixture(params=SDKS, ids=lambda kind: kind.name)
def sdk(request: pytest.FixtureRequest) -> type[Sdk]:
    return request.param


@pytest.fixture
def both(provider: Provider, monitor: Monitor | None, sdk: type[Sdk]) -> Both:
    """Returns a function that makes a call twice and compares.

    `calls` is the number of requests that the call makes, retries included. `same` is False for calls whose
    outcome depends on time, such as an abort.
    """

    def run(call: Callable[[Sdk], Answer], calls: int = 1, same: bool = True) -> Pair:
        direct = made(provider, sdk(provider.url), call, calls)
        if monitor is None:
            return Pair(direct[0], [])
        known = {row["id"] for row in monitor.flows()}
        proxied = made(provider, sdk(monitor.url), call, calls)
        if same:
            assert proxied[0] == direct[0], "the SDK returns what it returns without the monitor"
            for one, other in zip(direct[1], proxied[1], strict=True):
                for fact in ("method", "target", "request_sha256", "request_bytes", "status", "coding", "end"):
                    assert one[fact] == other[fact], f"the provider sees the same {fact}"
        rows = monitor.ended(known, calls)
        assert len(rows) == calls, "one flow for each request"
        return Pair(proxied[0], [recorded(monitor, *pair) for pair in zip(rows, proxied[1], strict=True)])

    return run


def made(provider: Provider, sdk: Sdk, call: Callable[[Sdk], Answer], calls: int) -> tuple[Answer, list[dict]]:
    since = provider.next_id()
    try:
        answer = call(sdk)
    finally:
        sdk.close()
    log = provider.ended(since, calls)
    assert len(log) == calls, "one request at the provider for each that was made"
    return answer, log
