"""The engine's JSON-RPC: what it answers arrives whole, or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from app.node import rpc
from app.node.rpc import EngineRpc, EngineUnreachable

ANSWER = json.dumps({"result": {"letters": "a" * 100_000}}).encode()


async def in_parts(request: web.Request) -> web.StreamResponse:
    """Send an answer in two parts, some time apart."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(ANSWER[:50])
    await asyncio.sleep(0.05)
    await response.write(ANSWER[50:])
    return response


@pytest.fixture
async def engine() -> AsyncIterator[EngineRpc]:
    app = web.Application()
    app.router.add_post("/", in_parts)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    engine = EngineRpc(f"http://127.0.0.1:{runner.addresses[0][1]}")
    yield engine
    await engine.close()
    await runner.cleanup()


async def test_an_answer_in_parts_is_read_to_its_end(engine: EngineRpc) -> None:
    assert len((await engine.call("any"))["letters"]) == 100_000


async def test_an_answer_without_end_is_none(
    engine: EngineRpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc, "RESPONSE_BYTES_MAX", 1_000)
    with pytest.raises(EngineUnreachable, match="more than 1000 bytes"):
        await engine.call("any")
