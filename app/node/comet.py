"""The engine: CometBFT's home, and CometBFT as a child of the node.

Its configuration is written from `pollend.toml` at each start. It runs in a session of its own, so
that Ctrl-C reaches the node alone, which stops the engine first and answers it until it is gone: a
signal to both at once has left CometBFT hanging. If the node is killed, so is the engine.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from nacl.signing import SigningKey

from app.kernel.crypto import sha256
from app.kernel.record import Address
from app.modules.staking import POWER_UNIT_UFLT
from app.node.config import Home, NodeConfig, OperatorError, to_toml

STOP_TIMEOUT_S = 10
KEY_FILE = "priv_validator_key.json"
SIGNED_FILE = "priv_validator_state.json"
INSTALL = "install it: go install github.com/cometbft/cometbft/cmd/cometbft@v0.38.26"
CONFIG_HEAD = "# Written by pollend at each start; change pollend.toml instead.\n\n"
TETHER = Path(__file__).with_name("tether.py")

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
ROLLED_BACK = re.compile(r"Rolled back state to height (\d+)")
ROLL_BACK_S_MAX = 60

NO_KEY = {
    "priv_validator_key_file": "data/no_validator_key.json",
    "priv_validator_state_file": "data/no_validator_state.json",
}
"""CometBFT makes itself a key though a remote signer has it; nobody shall take that for it."""

TX_BYTES_MAX = 1_100_000
COMMON: dict[str, Any] = {
    "log_level": "main:info,*:error",
    "rpc": {
        "cors_allowed_origins": ["*"],
        "max_body_bytes": 8 << 20,
        "max_request_batch_size": 1_000,
        "max_subscription_clients": 1_000,
        "max_subscriptions_per_client": 100,
        "experimental_subscription_buffer_size": 10_000,
        "experimental_websocket_write_buffer_size": 10_000,
    },
    "p2p": {"send_rate": 128 << 20, "recv_rate": 128 << 20, "max_packet_msg_payload_size": 1 << 16},
    "mempool": {
        "recheck": False,  # Each block would look at the whole backlog again.
        "size": 20_000,
        "cache_size": 40_000,
        "max_tx_bytes": TX_BYTES_MAX,
        "max_txs_bytes": 256 << 20,
    },
    "consensus": {"create_empty_blocks": False, "create_empty_blocks_interval": "1s"},
}
PROFILES: dict[str, dict[str, Any]] = {
    "network": {
        "p2p": {"flush_throttle_timeout": "10ms"},
        "consensus": {
            "timeout_propose": "2s",
            "timeout_prevote": "500ms",
            "timeout_precommit": "500ms",
            "timeout_commit": "50ms",
            "skip_timeout_commit": True,
            "peer_gossip_sleep_duration": "10ms",
        },
    },
    "localnet": {
        "p2p": {
            "flush_throttle_timeout": "1ms",
            "pex": False,
            "addr_book_strict": False,
            "allow_duplicate_ip": True,
        },
        "consensus": {
            "timeout_propose": "2s",
            "timeout_prevote": "500ms",
            "timeout_precommit": "500ms",
            "timeout_commit": "0s",
            "skip_timeout_commit": True,
            "peer_gossip_sleep_duration": "5ms",
        },
    },
}


class Validator(NamedTuple):
    """One validator of a new chain."""

    name: str
    public_key: bytes
    vrf_key: bytes
    """Its key for the beacon."""
    operator: Address
    stake_uflt: int = 10**12
    """What its operator stakes; its power follows from it."""

    @property
    def address(self) -> bytes:
        """Return its consensus address."""
        return address_of(self.public_key)


def make_keys(engine_home: Path) -> bytes:
    """Make node and validator keys, unless they are there; return the validator's public key."""
    config, data = engine_home / "config", engine_home / "data"
    for folder in (config, data):
        folder.mkdir(parents=True, exist_ok=True)
    path = config / KEY_FILE
    if not path.exists():
        key = SigningKey.generate()
        public_key = bytes(key.verify_key)
        validator = {
            "address": address_of(public_key).hex().upper(),
            "pub_key": public_json(public_key),
            "priv_key": private_json(key),
        }
        write_secret(path, validator)
        write_secret(config / "node_key.json", {"priv_key": private_json(SigningKey.generate())})
        state = {"height": "0", "round": 0, "step": 0}
        write_secret(data / SIGNED_FILE, state)
    return read_public_key(engine_home)


def read_public_key(engine_home: Path) -> bytes:
    """Return the validator's public key."""
    path = engine_home / "config" / KEY_FILE
    return b64decode(json.loads(path.read_text())["pub_key"]["value"])


def address_of(public_key: bytes) -> bytes:
    """Return the consensus address of a validator's public key."""
    return sha256(public_key)[:20]


def read_node_id(engine_home: Path) -> str:
    """Return the id by which peers know a node."""
    key = json.loads((engine_home / "config" / "node_key.json").read_text())
    return sha256(b64decode(key["priv_key"]["value"])[32:])[:20].hex()


def make_genesis(
    chain_id: str, validators: Sequence[Validator], app_state: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the engine's genesis file of a new chain that begins now."""
    return {
        "genesis_time": datetime.now(UTC).strftime(TIME_FORMAT),
        "chain_id": chain_id,
        "initial_height": "1",
        "validators": [
            validator_json(each.public_key, each.stake_uflt // POWER_UNIT_UFLT, each.name)
            for each in validators
        ],
        "app_hash": "",
        "app_state": app_state,
    }


def engine_config(home: Home, config: NodeConfig) -> dict[str, Any]:
    """Return the engine's settings: the profile's, the addresses, then the operator's own."""
    addresses = {
        "moniker": config.moniker,
        "proxy_app": f"unix://{home.socket}",
        "rpc": {"laddr": f"tcp://{config.rpc_address}"},
        "p2p": {
            "laddr": f"tcp://{config.p2p_address}",
            "persistent_peers": ",".join(config.peers),
        },
    }
    signer: dict[str, Any] = {}
    if config.priv_validator_laddr:
        signer = {"priv_validator_laddr": config.priv_validator_laddr, **NO_KEY}
    settings: dict[str, Any] = {}
    for layer in (COMMON, PROFILES[config.profile], addresses, signer, config.engine):
        settings = merge(settings, layer)
    return settings


def reset_data(engine_home: Path) -> None:
    """Remove the engine's blocks; what its validator has signed stays, lest it sign twice."""
    for path in (engine_home / "data").iterdir():
        if path.name != SIGNED_FILE:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def roll_back(engine_home: Path) -> int:
    """Take the engine's state back to before its last block, once; returns its height then."""
    command = [find_engine(), "rollback", "--home", str(engine_home)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=ROLL_BACK_S_MAX
    )
    found = ROLLED_BACK.search(done.stdout)
    if found is None:
        raise OperatorError(f"{engine_home}: the engine can't go back: {done.stderr.strip()}")
    return int(found[1])


def read_genesis(engine_home: Path) -> dict[str, Any]:
    """Return the chain's genesis file; OperatorError if it isn't one."""
    path = engine_home / "config" / "genesis.json"
    try:
        genesis: dict[str, Any] = json.loads(path.read_text())
        if not isinstance(genesis["chain_id"], str):
            raise ValueError("chain_id isn't text")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperatorError(f"{path}: can't be read: {error}; copy it from another node") from None
    return genesis


class Engine:
    """CometBFT as a child process."""

    def __init__(
        self, home: Home, config: NodeConfig, settings: Mapping[str, Any] | None = None
    ) -> None:
        self._home = home
        self._settings = merge(engine_config(home, config), settings or {})
        self._log_start = 0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Write the engine's configuration and start it."""
        text = to_toml(self._settings)
        (self._home.engine / "config" / "config.toml").write_text(f"{CONFIG_HEAD}{text}")
        with self._home.engine_log.open("ab") as log:
            self._log_start = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-IS", str(TETHER), str(os.getpid()), find_engine()),
                *("start", "--home", str(self._home.engine)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def wait(self) -> str:
        """Return once the engine has ended, with what it said."""
        if self._process is not None:
            await self._process.wait()
        return self.words()

    def words(self) -> str:
        """Return what the engine has said since it was started."""
        with self._home.engine_log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    async def stop(self) -> None:
        """Ask the engine to end; after ten seconds make it."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def find_engine() -> str:
    """Return the engine's program: $COMETBFT, else the one beside this Python, or on the PATH."""
    beside = Path(sys.executable).parent / "cometbft"
    asked = os.environ.get("COMETBFT") or (str(beside) if beside.exists() else "cometbft")
    found = shutil.which(asked)
    if found is None:
        places = f"beside {beside.parent} or on PATH, and $COMETBFT names no program"
        raise OperatorError(f"cometbft: not found {places}; {INSTALL}")
    return found


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested settings with others laid over them."""
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = merge(merged[name], value) if both else value
    return merged


def validator_json(public_key: bytes, power: int, name: str) -> dict[str, Any]:
    """Return a validator as the genesis file has it."""
    return {
        "address": address_of(public_key).hex().upper(),
        "pub_key": public_json(public_key),
        "power": str(power),
        "name": name,
    }


def public_json(key: bytes) -> dict[str, str]:
    """Return a public key as the engine writes it."""
    return {"type": "tendermint/PubKeyEd25519", "value": b64encode(key).decode()}


def private_json(key: SigningKey) -> dict[str, str]:
    """Return a private key as the engine writes it: the seed, then the public key."""
    value = b64encode(bytes(key) + bytes(key.verify_key)).decode()
    return {"type": "tendermint/PrivKeyEd25519", "value": value}


def write_secret(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that only its owner may read."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=2))
