"""The unit by which systemd runs a node."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from app.node.comet import STOP_TIMEOUT_S, find_engine
from app.node.config import Home

OPEN_FILES = 65_536
UNIT = """\
[Unit]
Description=Pollen node {moniker}
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User={user}
Environment={engine}
ExecStart={program} start --home {home}
Restart=on-failure
RestartSec=5
KillMode=mixed
TimeoutStopSec={stop_s}
LimitNOFILE={open_files}
NoNewPrivileges=true
ProtectSystem=full
ProtectKernelTunables=true
ProtectControlGroups=true

[Install]
WantedBy=multi-user.target
"""
"""A node ends by itself with 0 only where it was told to; `mixed` lets it stop its engine."""


def describe_service(home: Home) -> str:
    """Return a home's unit, for the user that asks and the program and engine that it uses."""
    config = home.read_config()
    return UNIT.format(
        moniker=config.moniker,
        user=getpass.getuser(),
        engine=quote(f"COMETBFT={Path(find_engine()).absolute()}"),
        program=quote(str(Path(sys.executable).with_name("pollend"))),
        home=quote(str(home.path)),
        stop_s=3 * STOP_TIMEOUT_S,
        open_files=OPEN_FILES,
    )


def quote(text: str) -> str:
    """Return a word as systemd reads it back, with spaces and percent signs."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
