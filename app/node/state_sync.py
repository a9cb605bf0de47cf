"""Beginning from a snapshot: which nodes are asked, and from which block on one trusts the chain.

The engine follows the chain's signatures from the trusted block, and needs the RPC of two nodes for
it. Without a block given, the first node's newest is trusted: who runs that node is then trusted to
name the right chain, so its height and hash are shown, to be compared with another source.
"""

from __future__ import annotations

import json
import logging
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from app.node.config import OperatorError
from app.node.status import ask

log = logging.getLogger("pollend")

SERVERS_MIN = 2
TRUST_PERIOD = "112h0m0s"  # Two thirds of the time that unbonding takes.
DISCOVERY_TIME = "5s"  # The engine's least.


class StateSync(NamedTuple):
    """Whom a node believes that begins from a snapshot."""

    servers: tuple[str, ...]
    trust_height: int
    trust_hash: str

    def settings(self) -> dict[str, Any]:
        """Return the engine's settings for it."""
        servers = self.servers if len(self.servers) >= SERVERS_MIN else self.servers * SERVERS_MIN
        return {
            "enable": True,
            "rpc_servers": ",".join(servers),
            "trust_height": self.trust_height,
            "trust_hash": self.trust_hash,
            "trust_period": TRUST_PERIOD,
            "discovery_time": DISCOVERY_TIME,
        }

    def find_header(self, height: int) -> tuple[str, int] | None:
        """Return a block's chain and time in ms, or None unless all that answer say the same."""
        headers = [ask_rpc(server, f"/header?height={height}") for server in self.servers]
        found = {read_header(each["header"]) for each in headers if each}
        return found.pop() if len(found) == 1 else None


def choose_trust(servers: str, trust_height: int, trust_hash: str) -> StateSync:
    """Return whom to believe; without a block given, the first server's newest is trusted."""
    addresses = tuple([each.strip() for each in servers.split(",") if each.strip()])
    if not addresses:
        raise OperatorError("--state-sync: name the RPC of a node or two: http://host:port,…")
    if bool(trust_height) != bool(trust_hash):
        raise OperatorError("--trust-height and --trust-hash: give both, or neither")
    if not trust_hash:
        found = ask_rpc(addresses[0], "/commit")
        if found is None:
            raise OperatorError(f"--state-sync {addresses[0]}: no RPC of a node answers there")
        signed = found["signed_header"]
        trust_height = int(signed["header"]["height"])
        trust_hash = signed["commit"]["block_id"]["hash"]
        words = "trusting block %d, hash %s, as %s says; compare it with a source of your own"
        log.warning(words, trust_height, trust_hash, addresses[0])
    return StateSync(addresses, trust_height, trust_hash)


def ask_rpc(server: str, path: str) -> Any:
    """Return what a node's RPC answers, or None."""
    try:
        return json.loads(ask(server, path)[1])["result"]
    except (ValueError, KeyError, TypeError):
        return None


def read_header(header: Any) -> tuple[str, int]:
    """Return the chain and the time in whole ms that a header in JSON has."""
    time = Timestamp()
    time.FromJsonString(header["time"])
    return header["chain_id"], time.ToMilliseconds()
