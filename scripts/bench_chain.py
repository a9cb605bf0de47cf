"""Measure the chain on this machine: ours beside an application that does nothing.

Presigned bank sends of many accounts go to all nodes over HTTP, batched. Latency is that of
`broadcast_tx_commit`, from call to answer. The driver shares the processors with the nodes.

    scripts/bench_chain.py --validators 1 --validators 4 --transactions 10000
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import aiohttp
import typer
from cosmpy.protos.cosmos.base.v1beta1 import coin_pb2 as pb
from cosmpy.protos.cosmos.tx.v1beta1.tx_pb2 import AuthInfo, Fee, SignDoc, TxBody, TxRaw
from cosmpy.protos.tendermint.abci import types_pb2 as abci
from rich.console import Console
from rich.table import Table

from app.kernel.bech32 import to_bech32
from app.kernel.record import U128
from app.kernel.tx import Coin
from app.modules.bank import Send
from app.node.comet import Engine
from app.node.config import Home
from app.node.localnet import CHAIN_ID, Localnet, make_localnet, start_node
from app.node.socket import Door, varint
from app.node.status import ask
from app.sdk.signer import Signer, Signing, Terms, make_signer_info, sign_tx
from app.wire.records import pack

ACCOUNTS = 500
BALANCE_UFLT = 10**12
SEND_GAS = 200_000
BATCH = 100
PROBES = 30
LARGES = 5
PAUSE_S = 0.3
LOAD_TX_PER_S = 300
LOAD_BATCH = 30
LARGE_BYTES = 1_000_000
LARGE_FIELD = 1_024  # The first number whose field in a transaction's body may be unknown.
POLL_S = 0.1
TIMEOUT_S = 180


class Account(NamedTuple):
    """One sender and its account number."""

    signer: Signer
    number: int


@dataclass
class Presigned:
    """Transactions made in advance; each account's sequence goes on from one to the next."""

    accounts: list[Account]
    sequences: dict[int, int]

    def take(self, count: int, messages: int = 1) -> list[bytes]:
        """Return so many transactions, the accounts taking turns."""
        return [self._sign(self.accounts[i % len(self.accounts)], messages) for i in range(count)]

    def take_large(self) -> bytes:
        """Return a transaction of a megabyte, most of it a field that the chain doesn't know."""
        account = self.accounts[0]
        body_bytes = TxBody(messages=[pack(self._send(account))]).SerializeToString()
        for number in (LARGE_FIELD << 3 | 2, LARGE_BYTES):
            body_bytes += varint(number)
        body_bytes += bytes(LARGE_BYTES)
        gas = SEND_GAS + 11 * LARGE_BYTES
        fee = Fee(amount=[pb.Coin(denom="uflt", amount=str(gas // 50))], gas_limit=gas)
        info = make_signer_info(self._signing(account))
        parts = {
            "body_bytes": body_bytes,
            "auth_info_bytes": AuthInfo(signer_infos=[info], fee=fee).SerializeToString(),
        }
        document = SignDoc(**parts, chain_id=CHAIN_ID, account_number=account.number)
        signature = account.signer.sign(document.SerializeToString())
        return bytes(TxRaw(**parts, signatures=[signature]).SerializeToString())

    def _sign(self, account: Account, messages: int) -> bytes:
        gas = SEND_GAS + 60_000 * messages
        terms = Terms(chain_id=CHAIN_ID, gas_limit=gas, fee_uflt=gas // 50)
        return sign_tx([self._send(account)] * messages, [self._signing(account)], terms)

    def _send(self, account: Account) -> Send:
        recipient = self.accounts[account.number * 7 % len(self.accounts)].signer.address
        return Send(account.signer.address, recipient, (Coin("uflt", U128(1)),))

    def _signing(self, account: Account) -> Signing:
        sequence = self.sequences.get(account.number, 0)
        self.sequences[account.number] = sequence + 1
        return Signing(account.signer, account.number, sequence)


def make_presigned(count: int, validators: int) -> Presigned:
    """Make so many accounts; genesis numbers them in this order, after faucet and operators."""
    secrets = [i.to_bytes(32, "big") for i in range(1, count + 1)]
    accounts = [Account(Signer(secret), at) for at, secret in enumerate(secrets, 1 + validators)]
    return Presigned(accounts, {})


class Network:
    """A running network, ours or with an application that does nothing."""

    def __init__(self, home: Path, validators: int, is_ours: bool, accounts: list[Account]) -> None:
        template = {"balances": {to_bech32(a.signer.address): BALANCE_UFLT for a in accounts}}
        home.mkdir(parents=True)
        (home / "template.json").write_text(json.dumps(template))
        self.layout: Localnet = make_localnet(home, validators, None, str(home / "template.json"))
        self.urls = [f"http://{node.rpc}" for node in self.layout.nodes]
        self._is_ours = is_ours
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the nodes and wait for the third block."""
        for node in self.layout.nodes:
            if self._is_ours:
                self.processes.append(start_node(node))
            else:
                command = [sys.executable, __file__, "--do-nothing", node.home]
                self.processes.append(subprocess.Popen(command))
        deadline_s = time.monotonic() + TIMEOUT_S
        while min(self.height(url) for url in self.urls) < 3:
            if time.monotonic() > deadline_s:
                raise RuntimeError("the network doesn't start")
            time.sleep(POLL_S)

    def height(self, url: str) -> int:
        """Return a node's height, 0 while it doesn't answer."""
        status, text = ask(url.removeprefix("http://"), "/status")
        return int(json.loads(text)["result"]["sync_info"]["latest_block_height"]) if status else 0

    def stop(self) -> None:
        """Stop the nodes."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait()

    def rss_mb(self) -> tuple[float, float]:
        """Return the memory of one application and of one engine."""
        node = self.processes[0].pid
        return rss_mb(node), rss_mb(engine_of(node))

    def cpu_s(self) -> tuple[float, float]:
        """Return the processor time of all applications, and of all engines."""
        nodes = [process.pid for process in self.processes]
        return sum(map(cpu_s, nodes)), sum(cpu_s(engine_of(node)) for node in nodes)

    def disk_mb(self) -> float:
        """Return what one node has on disk."""
        folder = Path(self.layout.nodes[0].home)
        return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6


def engine_of(node: int) -> int:
    """Return the engine of a node's process."""
    done = subprocess.run(["pgrep", "-P", str(node)], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def cpu_s(process: int) -> float:
    """Return a process's processor time."""
    parts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(process: int) -> float:
    """Return a process's resident memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Driver:
    """Hands over transactions and watches them enter blocks."""

    def __init__(self, session: aiohttp.ClientSession, urls: list[str]) -> None:
        self._session = session
        self._urls = urls

    async def call(self, url: str, *requests: dict[str, Any]) -> Any:
        """Return the answers to one request, or to a batch."""
        body = json.dumps(requests[0] if len(requests) == 1 else requests)
        headers = {"Content-Type": "application/json"}
        async with self._session.post(url, data=body, headers=headers) as answer:
            return json.loads(await answer.read())

    async def commit(self, raw: bytes, url: str) -> float:
        """Return the milliseconds until a transaction is in a block."""
        started_s = time.perf_counter()
        answer = await self.call(url, request("broadcast_tx_commit", raw))
        elapsed_ms = (time.perf_counter() - started_s) * 1000
        result = answer.get("result")
        if result is None or result["check_tx"]["code"] or result["tx_result"]["code"]:
            raise RuntimeError(f"a probe failed: {answer}")
        return elapsed_ms

    async def send_all(self, txs: Sequence[bytes]) -> None:
        """Hand over transactions, each account's to the same node, in order."""
        count = len(self._urls)
        shares = [
            [tx for i, tx in enumerate(txs) if i % ACCOUNTS % count == at] for at in range(count)
        ]

        async def send(url: str, share: list[bytes]) -> None:
            for start in range(0, len(share), BATCH):
                batch = [request("broadcast_tx_async", tx) for tx in share[start : start + BATCH]]
                await self.call(url, *batch)

        await asyncio.gather(*[send(url, share) for url, share in zip(self._urls, shares)])

    async def wait_for(self, count: int, after_height: int) -> tuple[int, int]:
        """Return blocks and their transactions once so many entered after a height."""
        seen, height = 0, after_height
        deadline_s = time.monotonic() + TIMEOUT_S
        while seen < count and time.monotonic() < deadline_s:
            await asyncio.sleep(POLL_S)
            top = await self.height()
            while height < top:
                last = min(top, height + 20)
                url = f"{self._urls[0]}/blockchain?minHeight={height + 1}&maxHeight={last}"
                async with self._session.get(url) as answer:
                    metas = json.loads(await answer.read())["result"]["block_metas"]
                seen += sum(int(meta["num_txs"]) for meta in metas)
                height = last
        return height - after_height, seen

    async def height(self) -> int:
        """Return the first node's height."""
        async with self._session.get(f"{self._urls[0]}/status") as answer:
            found = json.loads(await answer.read())["result"]["sync_info"]
            return int(found["latest_block_height"])

    async def latencies(self, txs: Sequence[bytes], pause_s: float) -> list[float]:
        """Return the latencies of transactions handed over one after another, to any node."""
        found = []
        for tx in txs:
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))
            found.append(await self.commit(tx, random.choice(self._urls)))
        return found


def request(method: str, raw: bytes) -> dict[str, Any]:
    """Return the JSON-RPC request that hands over a transaction."""
    params = {"tx": b64encode(raw).decode()}
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


async def measure(network: Network, presigned: Presigned, transactions: int) -> dict[str, float]:
    """Return all figures of one network."""
    figures: dict[str, float] = {}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        driver = Driver(session, network.urls)
        probes = Presigned(presigned.accounts[-1:], presigned.sequences)
        senders = Presigned(presigned.accounts[:-1], presigned.sequences)
        idle = await driver.latencies(probes.take(PROBES), PAUSE_S)
        figures["idle_ms"] = statistics.median(idle)
        in_turn = await driver.latencies(probes.take(PROBES), 0)
        figures["in_turn_ms"] = statistics.median(in_turn)
        large = [await driver.commit(probes.take_large(), network.urls[0]) for _ in range(LARGES)]
        figures["large_ms"] = statistics.median(large)
        figures |= await measure_load(driver, senders, probes)
        for name, messages, count in (("", 1, transactions), ("multi_", 20, transactions // 10)):
            disk_mb = network.disk_mb()
            txs = senders.take(count, messages)
            app_s, engine_s = network.cpu_s()
            height, started_s = await driver.height(), time.perf_counter()
            await driver.send_all(txs)
            blocks, seen = await driver.wait_for(count, height)
            rate = seen / (time.perf_counter() - started_s)
            figures |= {f"{name}tx_per_s": rate, f"{name}sends_per_s": rate * messages}
            after_app_s, after_engine_s = network.cpu_s()
            figures[f"{name}app_us"] = (after_app_s - app_s) / count * 1e6
            figures[f"{name}engine_us"] = (after_engine_s - engine_s) / count * 1e6
            figures |= {f"{name}blocks": blocks, f"{name}missing": count - seen}
            figures[f"{name}disk_mb"] = network.disk_mb() - disk_mb
        figures["app_rss_mb"], figures["engine_rss_mb"] = network.rss_mb()
    return figures


async def measure_load(driver: Driver, senders: Presigned, probes: Presigned) -> dict[str, float]:
    """Return the latency while other transactions come in at a steady rate."""
    background = senders.take(LOAD_TX_PER_S * 8)

    async def load() -> None:
        step = LOAD_TX_PER_S // 10
        for start in range(0, len(background), step):
            asyncio.get_running_loop().create_task(
                driver.send_all(background[start : start + step])
            )
            await asyncio.sleep(0.1)

    task = asyncio.create_task(load())
    found = await driver.latencies(probes.take(PROBES), 0.1)
    await task
    await asyncio.sleep(1)
    return {"load_ms": statistics.median(found), "load_max_ms": max(found)}


def do_nothing(home: Home) -> None:
    """Run a node whose application accepts everything and keeps nothing."""

    def prepare(request: Any) -> Any:
        room_bytes, chosen = request.max_tx_bytes, []
        for tx in request.txs:
            room_bytes -= len(tx) + 6
            if room_bytes > 0:
                chosen.append(tx)
        return abci.ResponsePrepareProposal(txs=chosen)

    def finalize(request: Any) -> Any:
        results = [abci.ExecTxResult() for _ in request.txs]
        return abci.ResponseFinalizeBlock(tx_results=results, app_hash=bytes(32))

    accept = abci.ResponseProcessProposal(status=abci.ResponseProcessProposal.ACCEPT)
    methods = {
        "info": lambda request: abci.ResponseInfo(),
        "query": lambda request: abci.ResponseQuery(),
        "check_tx": lambda request: abci.ResponseCheckTx(),
        "init_chain": lambda request: abci.ResponseInitChain(app_hash=bytes(32)),
        "prepare_proposal": prepare,
        "process_proposal": lambda request: accept,
        "finalize_block": finalize,
        "commit": lambda request: abci.ResponseCommit(),
    }

    async def run() -> None:
        end = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set_result, None)
        await Door(methods, end.set_exception).open(home.socket)
        engine = Engine(home, home.read_config())
        await engine.start()
        await end
        await engine.stop()

    asyncio.run(run())


def main(
    validators: Annotated[list[int] | None, typer.Option(help="Sizes of network.")] = None,
    transactions: Annotated[int, typer.Option(help="For the throughput.")] = 10_000,
    only: Annotated[str, typer.Option(help="`ours` or `nothing`; else both.")] = "",
    output: Annotated[Path | None, typer.Option(help="Where to write JSON.")] = None,
    do_nothing_home: Annotated[Path | None, typer.Option("--do-nothing", hidden=True)] = None,
) -> None:
    """Measure and show a table."""
    if do_nothing_home is not None:
        do_nothing(Home(do_nothing_home))
        return
    results: dict[str, dict[str, float]] = {}
    for count in validators or [1, 4]:
        for name in ("nothing", "ours"):
            if only in ("", name):
                folder = Path(tempfile.mkdtemp(prefix="pollen-bench-"))
                presigned = make_presigned(ACCOUNTS + 1, count)
                network = Network(folder / "net", count, name == "ours", presigned.accounts)
                try:
                    network.start()
                    figures = asyncio.run(measure(network, presigned, transactions))
                finally:
                    network.stop()
                    shutil.rmtree(folder)
                results[f"{name}, {count}"] = figures
    table = Table("figure", *results)
    for figure in next(iter(results.values())):
        table.add_row(figure, *[f"{column[figure]:,.1f}" for column in results.values()])
    Console().print(table)
    text = json.dumps(results, indent=1)
    print(text)
    if output is not None:
        output.write_text(text)


if __name__ == "__main__":
    typer.run(main)
