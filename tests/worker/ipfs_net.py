"""Real IPFS nodes on the loopback interface, in a private network of their own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fl_worker.blobs.cids import parse_cid

IPFS = Path(sys.executable).parent / "ipfs"
# Only who has it is in the network; it comes with a flag by which a node won't start without it.
SWARM_KEY = "/key/swarm/psk/1.0.0/\n/base16/\n" + 32 * "7e"
ENVIRONMENT = {"LIBP2P_FORCE_PNET": "1", "LIBP2P_TCP_MUX": "false", "IPFS_TELEMETRY": "off"}
OPEN_PORT = "/ip4/127.0.0.1/tcp/0"


@dataclass
class IpfsNode:
    """A daemon and its folder; `ipfs` is what its owner types. Known by its address to others."""

    path: Path
    api: str = OPEN_PORT
    daemon: subprocess.Popen[str] | None = field(default=None, init=False)

    def make(self) -> None:
        """Make the folder of a node that looks for nobody."""
        assert IPFS.exists(), f"{IPFS} is missing; build it: python scripts/setup.py kubo"
        self.ipfs("init", "--profile=test", "--empty-repo")
        (self.path / "swarm.key").write_text(SWARM_KEY)

    def start(self) -> None:
        """Come up, and answer at the same address as before."""
        config = json.loads((self.path / "config").read_text())
        config["Addresses"] |= {"API": self.api, "Gateway": OPEN_PORT}
        config["Routing"] |= {"Type": "none"}
        (self.path / "config").write_text(json.dumps(config))
        self.daemon = subprocess.Popen(
            [IPFS, "daemon"], env=self._environment(), stdout=subprocess.PIPE, text=True
        )
        assert self.daemon.stdout
        said = []
        for line in self.daemon.stdout:
            said.append(line)
            if line == "Daemon is ready\n":
                break
        else:
            raise AssertionError("".join(said))
        self.api = (self.path / "api").read_text().strip()

    def stop(self) -> None:
        """Go down."""
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.communicate()
            self.daemon = None

    @property
    def url(self) -> str:
        """Where its RPC answers."""
        return url_of(self.api)

    @property
    def gateway_url(self) -> str:
        """Where its own gateway answers."""
        return (self.path / "gateway").read_text().strip()

    def ipfs(self, *words: str, code: int = 0) -> str:
        """Run a command of the owner, and return what it prints."""
        done = subprocess.run(
            [IPFS, *words], env=self._environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        return done.stdout or done.stderr

    def connect(self, other: IpfsNode) -> None:
        """Let two nodes know one another, and nobody else."""
        address = json.loads(other.ipfs("id"))["Addresses"][0]
        assert address.startswith("/ip4/127.0.0.1/")
        self.ipfs("swarm", "connect", address)

    def pinned(self) -> set[str]:
        """All that its garbage collection keeps."""
        return set(self.ipfs("pin", "ls", "--quiet").split())

    def has(self, cid: str) -> bool:
        """Whether a block is among its own."""
        return cid in self.ipfs("refs", "local").split()

    def file_of(self, cid: str) -> Path:
        """Where it keeps a block."""
        name = base64.b32encode(b"\x12\x20" + parse_cid(cid)).decode().rstrip("=")
        return next(self.path.rglob(f"{name}.data"))

    def _environment(self) -> dict[str, Any]:
        return os.environ | ENVIRONMENT | {"IPFS_PATH": str(self.path)}


def url_of(address: str) -> str:
    """A multiaddr of TCP as a URL."""
    _, _, host, _, port = address.split("/")
    return f"http://{host}:{port}"


@contextmanager
def running_node(path: Path) -> Iterator[IpfsNode]:
    """A node that runs for a while."""
    node = IpfsNode(path)
    node.make()
    try:
        node.start()
        yield node
    finally:
        node.stop()
