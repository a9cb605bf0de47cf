"""What the tests of participants share: a town, and two IPFS nodes that know one another."""

import gc
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.worker import toy_bench
from tests.worker.ipfs_net import IpfsNode, running_node
from tests.worker.town import Town, ToyApp, open_town, put_in_place
from tests.worker.toy_bench import ToyBench


@pytest.fixture(scope="session")
def ipfs_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[IpfsNode, IpfsNode]]:
    path = tmp_path_factory.mktemp("ipfs")
    with running_node(path / "one") as one, running_node(path / "other") as other:
        one.connect(other)
        yield one, other


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> ToyApp:
    return put_in_place(ToyApp(), monkeypatch)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ToyBench:
    return toy_bench.put_in_place(ToyBench(), monkeypatch)


@pytest.fixture
async def town(
    tmp_path: Path, app: ToyApp, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Town]:
    async with open_town(tmp_path, app) as town:
        yield town
    gc.collect()
    records = [*caplog.get_records("call"), *caplog.records]
    assert [record for record in records if record.levelno >= logging.ERROR] == []
