"""A node with a fake engine in a thread, and `pollen` as it would be typed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cosmpy.protos.tendermint.abci import types_pb2 as abci

from app.chain import Genesis, make_genesis
from app.sdk.keyring import Keyring, Protection
from app.sdk.signer import Signer
from app.sdk.text import to_bech32
from fl_worker.cli import build, run
from tests.build import a_validator
from tests.node.fake_engine import CHAIN_ID, Node
from tests.worker.flower_apps import CLIENT, write_app

FLT = 1_000_000
RICH_UFLT = 100_000 * FLT
QUICK = {
    "jobs": {"challenge_s_min": 1, "deadline_s_min": 1, "dispute_s": 10},
    "rounds": {"deadline_blocks": 2},
}
"""Params with which a job is over in seconds."""


@dataclass
class Typed:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """What it printed for programs, and nothing else."""
        assert self.code == 0, self.err
        return json.loads(self.out)


class Shell:
    """One person's terminal: a home with keys, and a node to talk to."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self.address = ""
        self._capsys = capsys

    def options(self) -> list[str]:
        """What is typed with every command."""
        home = ["--home", str(self.home), "--unencrypted", "--allow-private"]
        return [*home, *(["--node", self.address] if self.address else [])]

    def type(self, *words: str) -> Typed:
        """Run a command, for people."""
        self._capsys.readouterr()
        arguments = [*words, *self.options()]
        code = run(build(arguments), arguments)
        printed = self._capsys.readouterr()
        return Typed(code, printed.out, printed.err)

    def ask(self, *words: str) -> Any:
        """Run a command that must succeed, for programs, and return what it says."""
        return self.type(*words, "--output", "json").value

    def ring(self) -> Keyring:
        """The keys in the home."""
        return Keyring(self.home / "keys", protection=Protection.TEST)


def make_signers(shell: Shell, *names: str) -> dict[str, Signer]:
    """Make keys."""
    ring = shell.ring()
    return {name: ring.open(ring.add(name)[0].name) for name in names}


def address_of(signer: Signer) -> str:
    """An account as it is typed."""
    return to_bech32(signer.address)


def write_typed_app(folder: Path) -> Path:
    """Write a small app: worker 0 adds the round to each value, worker 1 twice that, and so on."""
    typed = CLIENT.replace("a.numpy() + step", "(a.numpy() + step).astype(a.numpy().dtype)")
    own = typed.replace("    step =", '    step = (1 + context.node_config["partition-id"]) *')
    return write_app(folder, client=own)


class RunningNode:
    """A node that answers and makes blocks in a thread of its own."""

    def __init__(self, path: Path, params: Mapping[str, Any], *rich: Signer) -> None:
        self.node = Node(path)
        balances = {each.address: RICH_UFLT for each in rich}
        validators = (a_validator("vera", rich[0].address),)
        genesis = make_genesis(Genesis(balances, dict(params), validators))
        self.node.application.init_chain(
            abci.RequestInitChain(
                chain_id=CHAIN_ID, initial_height=1, app_state_bytes=json.dumps(genesis).encode()
            )
        )
        self.node.engine.make_block()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._ticker: Future[None] | None = None

    @property
    def address(self) -> str:
        """Where it answers."""
        return self.node.address

    def tick(self, every_s: float) -> None:
        """Make a block every so often, each a tenth of a second later on the chain's clock."""

        async def make_blocks() -> None:
            while True:
                self.node.engine.make_block()
                await asyncio.sleep(every_s)

        self._ticker = asyncio.run_coroutine_threadsafe(make_blocks(), self._loop)

    def stand_still(self) -> None:
        """Make no more blocks by itself."""
        if self._ticker is not None:
            self._ticker.cancel()

    @contextmanager
    def running(self) -> Iterator[RunningNode]:
        """Answer for a while."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.node.start(), self._loop).result()
        try:
            yield self
        finally:
            self.stand_still()
            asyncio.run_coroutine_threadsafe(self.node.close(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
