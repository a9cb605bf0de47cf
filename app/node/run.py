"""A running node: the application, its doors and the engine, from locking its home to the end."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack
from functools import partial

from app.chain import run_query
from app.modules.statistics import StatisticsRequest, StatisticsResponse
from app.node.abci import Application, Halted, trust_nobody
from app.node.comet import Engine
from app.node.config import ADDRESSES, Home, NodeConfig, OperatorError, is_port_free, split_address
from app.node.diagnosis import check_agreement, check_disk, check_key, explain_engine
from app.node.grpc import start_grpc
from app.node.leveldb import LevelStore
from app.node.metrics import Metrics, StatisticsCollector, serve_metrics
from app.node.rest import start_rest
from app.node.snapshots import Snapshots
from app.node.socket import Door
from app.node.state_sync import StateSync
from app.node.tls import find_certificate
from app.node.vrf_keys import find_lost_key, prove_from

log = logging.getLogger("pollend")

End = asyncio.Future[None]
"""When and why the node ends: without an exception, because it was told to."""

BLOCK_AGE_MAX_S = 15
PROBE_TIMEOUT_S = 0.2
REPORT_INTERVAL_S = 30
DISK_INTERVAL_S = 1
SYNC_INTERVAL_S = 1
SYNC_FAILED = "State sync failed"
SWITCH_INTERVAL_S = 1e-4  # gRPC has threads, and checking a signature waits for a switch.
GARBAGE_THRESHOLDS = (50_000, 20, 50)


async def run_node(
    home: Home,
    config: NodeConfig,
    state_sync: StateSync | None,
    *,
    is_engine_external: bool,
    halt_height: int = 0,
) -> None:
    """Run until told to end, or after a height, or something fails, which is then raised."""
    loop = asyncio.get_running_loop()
    end = loop.create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, finish, end)
    async with AsyncExitStack() as stack:
        stack.callback(home.lock().close)
        check_disk(home.path)
        check_key(home, config)
        store = LevelStore(home.state, config.history_blocks)
        stack.callback(store.close)
        if not is_engine_external and state_sync is None:
            check_agreement(home, store.last)
        gc.disable()  # Nothing of the state that is built now is garbage.
        try:
            application = open_application(home, config, store, state_sync)
        finally:
            gc.enable()
        if 0 < halt_height < application.last.height:
            raise OperatorError(
                f"--halt-height {halt_height}: the node is at height {application.last.height} "
                "already; name a later one, or leave it out"
            )
        application.halt_height = halt_height
        tune_interpreter()
        check_ports(config)
        await open_doors(stack, home, application, config, end)
        for work in (report(application, home), watch_disk(home, end)):
            stack.callback(asyncio.create_task(work).cancel)
        if application.snapshots is not None:
            stack.callback(asyncio.create_task(application.snapshots.write_due()).cancel)
        if is_engine_external:
            log.info("waiting for an engine to connect to unix://%s", home.socket)
        else:
            settings = {"statesync": state_sync.settings()} if state_sync else {}
            engine = Engine(home, config, settings)
            await engine.start()
            watcher = asyncio.create_task(watch(engine, home, end))
            stack.callback(watcher.cancel)
            if state_sync is not None:
                stack.callback(asyncio.create_task(watch_sync(engine, application, end)).cancel)
            stack.push_async_callback(engine.stop)
        try:
            await end
        except Halted as halted:
            log.info("%s", halted)
        log.info("ending at height %d", application.last.height)


def open_application(
    home: Home, config: NodeConfig, store: LevelStore, state_sync: StateSync | None
) -> Application:
    """Return the application of a home, as it was left."""
    snapshots = Snapshots(home.snapshots, config.snapshot_interval, config.snapshot_keep)
    return Application(
        store,
        Metrics(),
        partial(prove_from, home.vrf_keys),
        check_invariants=config.check_invariants,
        history_rows=config.history_rows,
        snapshots=snapshots,
        retain_blocks=config.retain_blocks,
        find_header=state_sync.find_header if state_sync else trust_nobody,
    )


def check_ports(config: NodeConfig) -> None:
    """Refuse to start where somebody else listens already."""
    for name in ADDRESSES:
        address = getattr(config, name)
        if not is_port_free(*split_address(name, address)):
            raise OperatorError(f"{name} {address}: in use; free it or change pollend.toml")


async def open_doors(
    stack: AsyncExitStack, home: Home, application: Application, config: NodeConfig, end: End
) -> None:
    """Listen for the engine, for gRPC, and for who wants metrics."""
    door = Door(application.methods, partial(finish, end))
    await door.open(home.socket)
    stack.callback(door.close)
    application.drain = door.drain
    metrics = application.metrics
    metrics.waiting.set_function(lambda: application.mempool.count(application.state))
    metrics.registry.register(StatisticsCollector(partial(read_statistics, application)))
    host, port = split_address("metrics_address", config.metrics_address)
    rpc = split_address("rpc_address", config.rpc_address)
    find = partial(find_unready, application, rpc)
    monitor = await serve_metrics(metrics, host, port, find)
    stack.callback(monitor.close)
    certificate = find_certificate(home, config)
    host, port = split_address("grpc_address", config.grpc_address)
    engine_url = f"http://{config.rpc_address}"
    grpc = await start_grpc(application, host, port, engine_url, certificate)
    stack.push_async_callback(grpc.stop)
    host, port = split_address("rest_address", config.rest_address)
    rest = await start_rest(grpc.methods, application, host, port, certificate)
    stack.push_async_callback(rest.cleanup)
    for name in ADDRESSES:
        log.info("%-8s %s", name.removesuffix("_address"), getattr(config, name))


def read_statistics(application: Application) -> StatisticsResponse | None:
    """Return what the chain has counted, or None before its first block."""
    if not application.last.height:
        return None
    answer: StatisticsResponse = run_query(application.state, StatisticsRequest())
    return answer


def finish(end: End, error: Exception | None = None) -> None:
    """End the node, for a reason perhaps; the first counts."""
    if not end.done():
        end.set_exception(error) if error else end.set_result(None)


async def watch(engine: Engine, home: Home, end: End) -> None:
    """End the node when the engine ends of itself, and say what to do."""
    words = await engine.wait()
    try:
        check_disk(home.path)
    except OperatorError as error:
        finish(end, error)
    finish(end, OperatorError(f"the engine ended; {explain_engine(words)}"))


async def watch_sync(engine: Engine, application: Application, end: End) -> None:
    """End the node where the engine gives a state sync up, which alone would leave it idle."""
    while not application.last.height or application.last.height == application.start_height:
        await asyncio.sleep(SYNC_INTERVAL_S)
        failed = [line for line in engine.words().splitlines() if SYNC_FAILED in line]
        if failed:
            words = (
                f"the engine gave the state sync up: {failed[0]}\nSee that the RPCs are right and "
                "that peers keep snapshots (snapshot_interval), then pollend reset, and again"
            )
            finish(end, OperatorError(words))
            return


async def watch_disk(home: Home, end: End) -> None:
    """End the node in good order before the disk is full."""
    while True:
        await asyncio.sleep(DISK_INTERVAL_S)
        try:
            check_disk(home.path)
        except OperatorError as error:
            finish(end, error)


async def report(application: Application, home: Home) -> None:
    """Say when blocks begin to come, and from time to time how many."""
    await application.wait_for_commit()
    log.info("blocks come in, height %d", application.last.height)
    lost = await asyncio.to_thread(find_lost_key, home, application.state, application.last.height)
    if lost is not None:
        words = (
            "vrf_keys.json lacks the secret of %s: no proposal of this validator with a draw counts"
        )
        log.warning(words, lost.hex())
    while True:
        height, txs = application.last.height, application.metrics.tx_count
        await asyncio.sleep(REPORT_INTERVAL_S)
        blocks, txs = application.last.height - height, application.metrics.tx_count - txs
        words = "height %d: %d blocks and %d transactions in %d s"
        log.info(words, application.last.height, blocks, txs, REPORT_INTERVAL_S)


def find_unready(application: Application, rpc: tuple[str, int]) -> str:
    """Return why the node's state isn't the chain's present one, or nothing if it is."""
    last = application.store.last
    age_s = int(time.time() - last.time_ms / 1000)
    if last.height <= application.start_height:
        return f"no block after height {application.start_height} yet"
    if age_s > BLOCK_AGE_MAX_S:
        return f"the last block is {age_s} s old"
    with socket.socket(socket.AF_INET6 if ":" in rpc[0] else socket.AF_INET) as probe:
        probe.settimeout(PROBE_TIMEOUT_S)
        return "the engine's RPC doesn't answer yet" if probe.connect_ex(rpc) else ""


def tune_interpreter() -> None:
    """Keep the collector off what stays for good, and threads from waiting for each other."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
