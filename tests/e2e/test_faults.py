"""A validator and a node that follows it: a fault is survived, or ends in what to do about it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from app.node.config import Home
from app.node.genesis import FAUCET_FILE
from app.node.localnet import Node, place_nodes, start_node, stop_node
from tests.abci_grammar import is_right, read_runs
from tests.e2e.running import (
    RESTLESS,
    WAIT_S,
    Payer,
    app_hash,
    assert_alike,
    configure,
    height,
    last_log,
    make_node,
    paid,
    pollend,
    read_stopped,
    run_node,
    wait_until,
)

ENGINE_POINTS = [("FAIL_TEST_INDEX", point) for point in range(23)]
OWN_POINTS = [("POLLEND_FAIL_INDEX", point) for point in range(4)]


class Pair(NamedTuple):
    """A chain of one validator, and a node that follows it."""

    validator: Node
    follower: Node
    payer: Payer

    @property
    def homes(self) -> tuple[Home, Home]:
        """The validator's and the follower's."""
        return Home(Path(self.validator.home)), Home(Path(self.follower.home))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    path = tmp_path_factory.mktemp("pair")
    validator, follower = place_nodes(path, 2, None)
    settings = {"engine": RESTLESS, "log_level": "debug", "history_blocks": 2_000}
    first = make_node(validator, "localnet", {}, **settings)
    genesis = str(first.engine / "config" / "genesis.json")
    second = make_node(follower, genesis, {validator.p2p: first}, **settings)
    run_node(validator)
    run_node(follower)
    yield Pair(validator, follower, Payer(first.path / FAUCET_FILE))
    for home in (first, second):
        stop_node(home)


def test_the_validator_comes_back_from_wherever_it_or_its_engine_died(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine's own fail points, some two blocks of them, and ours around the batch.

    The validator is paid until it ends. What it had on disk each time is what the follower, which
    was away, makes of the same blocks.
    """
    home = pair.homes[0]
    for each in pair.homes:
        stop_node(each)
    left = []
    for name, point in (*ENGINE_POINTS, *OWN_POINTS):
        with monkeypatch.context() as patch:
            patch.setenv(name, str(point))
            process = start_node(pair.validator)
        wait_until(partial(has_ended, process, pair))
        assert process.returncode == 1
        left.append(read_stopped(home))
        pair.payer.sequence = left[-1][2]
    said = (home.path / "engine.log").read_text()
    assert all(f"*** fail-test {point} ***" in said for _, point in ENGINE_POINTS)
    assert left == sorted(left, key=lambda each: each[0])
    assert len({count for _, _, count in left}) > len(left) // 3

    for node in pair[:2]:
        run_node(node)
    wait_until(lambda: paid(pair.validator) == paid(pair.follower))  # It has much to catch up with.
    pair.payer.sequence = paid(pair.validator)
    assert pair.payer.pay(pair.follower) == 0
    wait_until(lambda: paid(pair.validator) == paid(pair.follower) == pair.payer.sequence)
    assert_alike(pair.validator, pair.follower)
    for at, found, _ in left:
        assert app_hash(pair.follower, at) == found


def has_ended(process: subprocess.Popen[bytes], pair: Pair) -> bool:
    """Whether the validator has ended, which is paid once more if not."""
    pair.payer.offer(pair.validator)
    return process.poll() is not None


def test_a_rollback_is_explained_and_may_be_repeated(pair: Pair) -> None:
    home = pair.homes[0]
    stop_node(home)
    before, _, _ = read_stopped(home)
    first = pollend("rollback", "--home", pair.validator.home)
    assert f"The engine's state is of height {before - 1}" in first.stdout, first.stderr
    assert f"(it was {before})" in first.stdout
    again = pollend("rollback", "--home", pair.validator.home, "--blocks", "5", "--output", "json")
    assert json.loads(again.stdout) == {
        "engine": before - 1, "before": before - 1, "height": before - 5
    }  # fmt: skip
    run_node(pair.validator)
    assert pair.payer.pay(pair.validator) == 0
    wait_until(lambda: paid(pair.follower) == pair.payer.sequence)
    assert_alike(pair.validator, pair.follower)


def test_an_engine_older_than_the_state_is_explained_and_mended_by_a_rollback(pair: Pair) -> None:
    home = pair.homes[1]
    stop_node(home)
    data, copy = home.engine / "data", home.path / "copy"
    shutil.copytree(data, copy)
    run_node(pair.follower)
    stop_node(home)
    shutil.rmtree(data)
    copy.rename(data)
    assert start_node(pair.follower).wait(WAIT_S) == 1
    assert "the application is at height" in last_log(home)
    assert "pollend rollback" in last_log(home)
    done = pollend("rollback", "--home", pair.follower.home)
    assert done.returncode == 0, done.stderr
    run_node(pair.follower)
    assert_alike(pair.validator, pair.follower)


def test_a_corrupt_node_does_not_start_and_is_mended_as_it_says(pair: Pair) -> None:
    home = pair.homes[1]
    stop_node(home)
    manifest = next(home.state.glob("MANIFEST-*"))
    good = manifest.read_bytes()
    manifest.write_bytes(good[:40] + bytes(20) + good[60:])
    assert start_node(pair.follower).wait(WAIT_S) == 1
    assert "the database is corrupt" in last_log(home)
    assert "remove it and start again" in last_log(home)
    shutil.rmtree(home.state)
    run_node(pair.follower)
    assert_alike(pair.validator, pair.follower)

    stop_node(home)
    shutil.rmtree(home.engine / "data" / "state.db")
    assert start_node(pair.follower).wait(WAIT_S) == 1
    assert "a file of the engine's is corrupt or gone" in last_log(home)
    assert "pollend reset" in last_log(home)
    assert pollend("reset", "--home", pair.follower.home).returncode == 0
    run_node(pair.follower)
    assert_alike(pair.validator, pair.follower)


def test_a_new_chain_from_an_export_is_equal_to_the_old(pair: Pair, tmp_path: Path) -> None:
    home = pair.homes[0]
    assert pollend("reset", "--home", pair.validator.home).returncode == 1  # It runs.
    stop_node(home)
    last, found, count = read_stopped(home)
    genesis = tmp_path / "genesis.json"
    done = pollend("export", "--home", pair.validator.home, "--out", str(genesis))
    assert done.returncode == 0, done.stderr
    assert pollend("reset", "--home", pair.validator.home).returncode == 0
    shutil.copy(genesis, home.engine / "config" / "genesis.json")
    configure(home, peers=())
    run_node(pair.validator)
    assert height(pair.validator) > last
    assert app_hash(pair.validator, last) == found
    assert paid(pair.validator) == count
    assert pair.payer.pay(pair.validator) == 0
    wait_until(lambda: paid(pair.validator) == count + 1)
    stop_node(home)
    again = json.loads(pollend("export", "--home", pair.validator.home).stdout)
    first = json.loads(genesis.read_text())
    assert again["validators"] == first["validators"]
    assert again["app_state"]["clock"] == first["app_state"]["clock"]
    assert again["app_state"].keys() == first["app_state"].keys()


def test_the_engine_calls_in_the_order_of_its_specification(pair: Pair) -> None:
    for home in pair.homes:
        runs = read_runs((home.path / "node.log").read_text())
        assert len(runs) > 1
        assert all(is_right(calls) for calls in runs), runs


def test_a_full_disk_ends_the_node_in_words_and_nothing_is_lost(tmp_path: Path) -> None:
    """In a mount namespace of its own, on a disk of a few MB."""
    command = ["unshare", "-rm", sys.executable, "-m", "tests.e2e.full_disk", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
