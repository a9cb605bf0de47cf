"""What an operator does to a node that is stopped."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import Any

from app import chain
from app.modules import staking
from app.node import comet
from app.node.config import Home, OperatorError
from app.node.leveldb import LevelStore
from app.node.snapshots import Snapshots


def reset_home(home: Home) -> list[str]:
    """Remove a node's state, snapshots and blocks; returns what was removed."""
    home.read_config()
    with home.lock():
        removed = [path for path in (home.state, home.snapshots) if path.exists()]
        for path in removed:
            shutil.rmtree(path)
        comet.reset_data(home.engine)
    return [str(path) for path in (*removed, home.engine / "data")]


def roll_back(home: Home, blocks: int) -> dict[str, int]:
    """Take a node's last blocks back, which the engine hands over again; returns the heights.

    The engine goes first, and goes back no further when asked again; the application follows it.
    """
    if blocks < 1:
        raise OperatorError(f"--blocks {blocks}: 1 or more")
    config = home.read_config()
    with home.lock():
        store = LevelStore(home.state, config.history_blocks)
        try:
            before = int(store.last.height)
            engine = comet.roll_back(home.engine)
            height = min(before, engine - blocks + 1)
            store.roll_back(height)
        finally:
            store.close()
        Snapshots(home.snapshots, 0, 1).drop_above(height)
    return {"engine": engine, "before": before, "height": height}


def export(home: Home, chain_id: str) -> dict[str, Any]:
    """Return the genesis of a chain that goes on from a node's state, with the same validators.

    Its first block has the height after the last and, by its genesis time, the last one's time:
    what passes until then is a halt, in which the chain's clock stands still.
    """
    home.read_config()
    with home.lock():
        store = LevelStore(home.state)
        try:
            last = store.last
            if not last.height:
                raise OperatorError(f"{home.path}: there is no state yet; start the node first")
            app_state = chain.export_genesis(store)
            bonded = staking.bonded_validators(store)
            validators = [
                comet.validator_json(v.key, v.power, v.description.moniker) for v in bonded
            ]
        finally:
            store.close()
    time = datetime.fromtimestamp(last.time_ms // 1000, UTC).replace(
        microsecond=last.time_ms % 1000 * 1000
    )
    return {
        "genesis_time": time.strftime(comet.TIME_FORMAT),
        "chain_id": chain_id or last.chain_id,
        "initial_height": str(last.height + 1),
        "validators": validators,
        "app_hash": "",
        "app_state": app_state,
    }
