"""What an operator may set: `pollend.toml` in a node's home, and where things lie in it.

<home>/pollend.toml     this file; the engine's own configuration is written from it
<home>/engine/          the engine's home: keys, genesis, its blocks
<home>/vrf_keys.json    a validator's secrets for the beacon
<home>/state/           the application's rows (LevelDB)
<home>/snapshots/       the state at some heights, for nodes that join
<home>/engine.log       what the engine says
<home>/abci.sock        where the engine meets the application
<home>/pollend.pid      who runs here; locked while it does
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

from app.kernel.frozen import frozen

try:
    VERSION = version("pollen")
except PackageNotFoundError:  # run from a source tree that was never installed
    VERSION = "0.0.0"

CONFIG_FILE = "pollend.toml"
PROCESS_FILE = "pollend.pid"
LOCK_ATTEMPTS = 3
LOCK_PAUSE_S = 0.05
SOCKET_PATH_BYTES_MAX = 100
ADDRESSES = ("p2p_address", "rpc_address", "grpc_address", "rest_address", "metrics_address")
PROFILES = ("network", "localnet")
SIGNER_KINDS = ("tcp://", "unix://")
LOG_FORMATS = ("text", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")

LEAST = {
    "history_blocks": 0,
    "history_rows": 0,
    "snapshot_interval": 0,
    "snapshot_keep": 1,
    "retain_blocks": 0,
}
"""The least that a number may be."""


class OperatorError(Exception):
    """Something the operator can mend; the text says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """A node's settings."""

    moniker: str = "pollen"
    profile: str = "network"
    """The engine's tuning: `network` between machines, `localnet` for nodes on one machine."""
    p2p_address: str = "0.0.0.0:26656"
    rpc_address: str = "127.0.0.1:26657"
    grpc_address: str = "127.0.0.1:9090"
    rest_address: str = "127.0.0.1:1317"
    metrics_address: str = "127.0.0.1:26660"
    tls_certificate: str = ""
    """A PEM file, here or by its whole path, with which gRPC and REST speak TLS; none: plain."""
    tls_key: str = ""
    """The file with its key."""
    priv_validator_laddr: str = ""
    """Where a remote signer with the validator's key connects, tcp://<host>:<port> or
    unix://<path>; nothing: the key is in engine/config."""
    peers: tuple[str, ...] = ()
    """Nodes to stay connected to, each `<node id>@<host>:<port>`."""
    check_invariants: bool = False
    """Whether to check all that must hold as blocks go by, and to stop when something doesn't."""
    history_blocks: int = 100
    """How many blocks back state can be asked for, proved and taken back."""
    history_rows: int = 100_000
    """How many changed rows of these blocks are kept in memory, some 2.5 KB each; where they
    changed more, fewer blocks are."""
    snapshot_interval: int = 1_000
    """Every how many blocks to write a snapshot for nodes that join; 0: never."""
    snapshot_keep: int = 3
    """How many snapshots to keep."""
    retain_blocks: int = 0
    """How many blocks the engine keeps, 0 for all; more while evidence, unbonding, snapshots or
    taking blocks back may need them."""
    log_format: str = "text"
    log_level: str = "info"
    engine: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the engine's config.toml in place of the profile's, by section."""


@frozen
class Home:
    """A node's folder."""

    path: Path

    @property
    def engine(self) -> Path:
        """Where the engine lives."""
        return self.path / "engine"

    @property
    def socket(self) -> Path:
        """Where the engine meets the application."""
        return self.path / "abci.sock"

    @property
    def vrf_keys(self) -> Path:
        """Where the secrets for the beacon are kept."""
        return self.path / "vrf_keys.json"

    @property
    def state(self) -> Path:
        """Where the application's rows are."""
        return self.path / "state"

    @property
    def snapshots(self) -> Path:
        """Where the snapshots are."""
        return self.path / "snapshots"

    @property
    def engine_log(self) -> Path:
        """What the engine says."""
        return self.path / "engine.log"

    def read_config(self) -> NodeConfig:
        """Return the settings; OperatorError names the one that is wrong."""
        path = self.path / CONFIG_FILE
        if not path.exists():
            raise OperatorError(f"{self.path}: no node lives here; make one: pollend init")
        if len(bytes(self.socket)) > SOCKET_PATH_BYTES_MAX:
            raise OperatorError(
                f"{self.socket}: a socket's path may have {SOCKET_PATH_BYTES_MAX} bytes; "
                "choose a shorter --home"
            )
        try:
            return parse_config(tomllib.loads(path.read_text()))
        except (tomllib.TOMLDecodeError, ValueError) as error:
            raise OperatorError(f"{path}: {error}") from None

    def write_config(self, config: NodeConfig) -> None:
        """Write the settings."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / CONFIG_FILE).write_text(to_toml(asdict(config)))

    def lock(self) -> IO[str]:
        """Take the home for this process until the file that is returned is closed."""
        file = (self.path / PROCESS_FILE).open("a+")
        for _ in range(LOCK_ATTEMPTS):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(LOCK_PAUSE_S)  # Perhaps somebody only looks who runs here.
                continue
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            return file
        file.close()
        raise OperatorError(
            f"{self.path}: pollend runs here already (process {self.find_process()}); "
            "stop it first, or choose another --home"
        )

    def find_process(self) -> int | None:
        """Return the process that runs here, or None."""
        try:
            with (self.path / PROCESS_FILE).open("r+") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    text = file.read()
                    return int(text) if text else None
        except FileNotFoundError:
            pass
        return None


def parse_config(values: Mapping[str, Any]) -> NodeConfig:
    """Return the settings that a TOML document holds; ValueError names the one that is wrong."""
    kinds = {each.name: type(getattr(NodeConfig(), each.name)) for each in fields(NodeConfig)}
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name not in kinds:
            raise ValueError(f"{name}: no such setting; there are {', '.join(kinds)}")
        given[name] = tuple(value) if isinstance(value, list) else value
        if not isinstance(given[name], kinds[name]):
            raise ValueError(f"{name}: {value!r} is not of type {kinds[name].__name__}")
    config = NodeConfig(**given)
    words = {"profile": PROFILES, "log_format": LOG_FORMATS, "log_level": LOG_LEVELS}
    for name, known in words.items():
        if getattr(config, name) not in known:
            raise ValueError(f"{name}: {getattr(config, name)!r} is none of {', '.join(known)}")
    for name, least in LEAST.items():
        if getattr(config, name) < least:
            raise ValueError(f"{name}: {getattr(config, name)} is less than {least}")
    for name in ADDRESSES:
        split_address(name, getattr(config, name))
    if config.priv_validator_laddr and not config.priv_validator_laddr.startswith(SIGNER_KINDS):
        wrong = config.priv_validator_laddr
        raise ValueError(f"priv_validator_laddr: {wrong!r} begins with neither tcp:// nor unix://")
    return config


def split_address(name: str, address: str) -> tuple[str, int]:
    """Return host and port of `<host>:<port>`."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"{name}: {address!r} is not <host>:<port> with a port from 1 to 65535")
    return host.strip("[]"), int(port)


def is_port_free(host: str, port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def to_toml(values: Mapping[str, Any], section: str = "") -> str:
    """Return nested settings as TOML; JSON writes its strings, numbers, truths and lists alike."""
    plain = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    lines = [f"{name} = {json.dumps(value)}" for name, value in plain.items()]
    for name, value in values.items():
        if isinstance(value, Mapping):
            title = f"{section}.{name}" if section else name
            lines += ["", f"[{title}]", to_toml(value, title)]
    return "\n".join(lines).rstrip() + "\n" if not section else "\n".join(lines)
