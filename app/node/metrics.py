"""What a node shows of itself: Prometheus metrics and readiness, on one small HTTP port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from http import HTTPStatus
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from app.kernel.context import Block
from app.modules.statistics import StatisticsResponse

EXECUTION_BUCKETS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
REQUEST_BYTES_MAX = 4096
REQUEST_TIMEOUT_S = 5
ENDING_LABELS = ("subject", "phase", "reason")


class Metrics:
    """The numbers of one node."""

    def __init__(self) -> None:
        self.tx_count = 0
        self.registry = CollectorRegistry()
        self.height = self._gauge("height", "Height of the last committed block.")
        self.block_time_s = self._gauge("block_time_seconds", "Header time of that block.")
        self.waiting = self._gauge("mempool_pending", "Transactions admitted and not in a block.")
        self.checked_height = self._gauge("invariants_height", "Last height found sound.")
        self.txs = Counter(
            "pollen_txs", "Transactions in committed blocks.", registry=self.registry
        )
        self.execution_s = Histogram(
            "pollen_block_execution_seconds",
            "Time to execute a block.",
            buckets=EXECUTION_BUCKETS_S,
            registry=self.registry,
        )

    def show_commit(self, block: Block, tx_count: int) -> None:
        """Count a committed block."""
        self.tx_count += tx_count
        self.height.set(block.height)
        self.block_time_s.set(block.time_ms / 1000)
        self.txs.inc(tx_count)

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(f"pollen_{name}", words, registry=self.registry)


class StatisticsCollector:
    """The chain's statistics as gauges, read when somebody looks, so that a block costs nothing."""

    def __init__(self, read: Callable[[], StatisticsResponse | None]) -> None:
        self._read = read

    def describe(self) -> list[GaugeMetricFamily]:
        """Name no gauge beforehand: a node that begins has no state to read."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Walk a gauge for each number, and one with labels for the ways jobs and rounds end."""
        found = self._read()
        if found is None:
            return
        words = "Jobs and rounds that ended."
        endings = GaugeMetricFamily("pollen_endings", words, labels=ENDING_LABELS)
        for ending in found.endings:
            endings.add_metric([getattr(ending, name) for name in ENDING_LABELS], ending.count)
        yield endings
        for name, value in numbers(found):
            yield GaugeMetricFamily(f"pollen_{name}", f"`{name}` of the statistics query.", value)


def numbers(record: Any, outer: str = "") -> Iterator[tuple[str, int]]:
    """Walk the integers of a record and of those in it, by name: `holdings_escrow_uflt`."""
    for each in fields(record):
        value, name = getattr(record, each.name), f"{outer}{each.name}"
        if is_dataclass(value):
            yield from numbers(value, f"{name}_")
        elif isinstance(value, int):
            yield name, value


async def serve_metrics(
    metrics: Metrics, host: str, port: int, find_unready: Callable[[], str]
) -> asyncio.AbstractServer:
    """Serve `/metrics`, and `/readyz`: 200, or 503 with the reason that `find_unready` gives."""

    def respond(path: str) -> tuple[HTTPStatus, str, bytes]:
        if path == "/metrics":
            return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(metrics.registry)
        if path == "/readyz":
            reason = find_unready()
            status = HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK
            return status, "text/plain", f"{reason or 'ready'}\n".encode()
        return HTTPStatus.NOT_FOUND, "text/plain", b"there are /metrics and /readyz\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                status, kind, body = respond(f"{head} /".split()[1].partition("?")[0])
                writer.write(
                    f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(serve, host, port, limit=REQUEST_BYTES_MAX)
