"""What the tests of participants share: two IPFS nodes that know one another."""

from collections.abc import Iterator

import pytest

from tests.worker.ipfs_net import IpfsNode, running_node


@pytest.fixture(scope="session")
def ipfs_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[IpfsNode, IpfsNode]]:
    path = tmp_path_factory.mktemp("ipfs")
    with running_node(path / "one") as one, running_node(path / "other") as other:
        one.connect(other)
        yield one, other
