"""What to do when a node can't go on: the engine's last words explained, and what is seen before.

Nothing here is mended by guessing. A node starts if engine and application agree, and else ends
with a sentence that says what disagrees and which command helps.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from app.node.comet import KEY_FILE, SIGNED_FILE, read_genesis
from app.node.config import Home, NodeConfig, OperatorError
from app.node.leveldb import Committed

DISK_FREE_MIN_BYTES = 64 << 20
LINES_SHOWN = 8
SYNC = "pollend reset, then pollend start --state-sync RPC,RPC"

TOO_HIGH = r"app block height \((\d+)\) is higher than core \((\d+)\)"
TOO_LOW = r"app block height \((\d+)\) is too far below block store base \((\d+)\)"
OTHER_STATE = r"AppHash does not match|wrong Block\.Header\.AppHash|does not match app's AppHash"
NO_SIGNER = r"private validator socket client"
DISK_FULL = r"no space left on device"
LOCKED = r"resource temporarily unavailable"
CORRUPT = r"(?i)corrupt|checksum mismatch|unmarshal|StoreBlockHeight \("

ADVICE: dict[str, str] = {
    TOO_HIGH: "the application is at height {0}, the engine's blocks end at {1}: its data are "
    "older, as after restoring a copy of one of the two. Restore both from one copy, or let the "
    f"application go back to the engine's height: pollend rollback; else begin again: {SYNC}",
    TOO_LOW: "the application is at height {0}, the engine's blocks begin at {1}, so it can't "
    f"hand over those between. Restore state/ from a copy, or begin again: {SYNC}",
    OTHER_STATE: "this node's state is another than the chain's. If state/ or engine/ is another "
    "copy's or chain's, put the right one back; if this pollend isn't the chain's version, install "
    "that and run: pollend rollback. Else keep the folder, report it, and begin again in another: "
    "pollend start --state-sync RPC,RPC",
    NO_SIGNER: "no remote signer connected to priv_validator_laddr of pollend.toml, or it is "
    "another chain's: start it, with this chain's id, and start again; a supervisor may do so",
    DISK_FULL: "the disk is full. What was committed is on disk: make room and start again",
    LOCKED: "another CometBFT runs on this engine/; stop it first",
    CORRUPT: "a file of the engine's is corrupt or gone. Restore engine/data from a copy as old as "
    f"state/, or begin again: {SYNC}",
}
"""What to do about what the engine says, the first that fits."""


def explain_engine(text: str) -> str:
    """Return what to do about an engine that ended with these words."""
    last = "\n".join(text.splitlines()[-LINES_SHOWN:])
    for pattern, advice in ADVICE.items():
        found = re.search(pattern, text)
        if found:
            start = text.rfind("\n", 0, found.start()) + 1
            line = text[start:].partition("\n")[0]
            return f"{advice.format(*found.groups())}. It said:\n{line}"
    return f"it said last:\n{last}"


def check_disk(path: Path) -> None:
    """Refuse to go on where a full disk would soon stop the node in the middle of something."""
    free_bytes = shutil.disk_usage(path).free
    if free_bytes < DISK_FREE_MIN_BYTES:
        raise OperatorError(
            f"{path}: the disk is full, {free_bytes >> 20} MB are free and pollend stops below "
            f"{DISK_FREE_MIN_BYTES >> 20} MB. Nothing is lost: make room and start again"
        )


def check_agreement(home: Home, last: Committed) -> None:
    """Refuse to start on the state of another chain, or on one whose blocks are gone."""
    if not last.height:
        return
    chain_id = read_genesis(home.engine)["chain_id"]
    if chain_id != last.chain_id:
        raise OperatorError(
            f"{home.path}: state/ is of chain {last.chain_id}, engine/config/genesis.json of "
            f"{chain_id}; put the right genesis back, or begin again: pollend reset"
        )
    if not (home.engine / "data" / "blockstore.db").exists():
        raise OperatorError(
            f"{home.path}: the application is at height {last.height}, but the engine has no "
            f"blocks: restore engine/data from a copy, or begin again: {SYNC}"
        )


def check_key(home: Home, config: NodeConfig) -> None:
    """Refuse to start with the validator's key in two places, which might sign twice."""
    path = home.engine / "config" / KEY_FILE
    if config.priv_validator_laddr and path.exists():
        raise OperatorError(
            f"priv_validator_laddr {config.priv_validator_laddr}: a key is here too, {path}. Move "
            f"it and {home.engine / 'data' / SIGNED_FILE} to the signer, or leave the setting out"
        )
