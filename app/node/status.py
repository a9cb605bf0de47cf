"""What a running node says of itself, asked from outside."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from app.node.config import Home

ASK_TIMEOUT_S = 2


def ask(address: str, path: str) -> tuple[int, str]:
    """Return a node's HTTP status and text, or 0 and why it doesn't answer."""
    url = address if "://" in address else f"http://{address}"
    try:
        with urllib.request.urlopen(f"{url}{path}", timeout=ASK_TIMEOUT_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, f"no answer: {error}"


def find_unready(metrics_address: str) -> str:
    """Return why a node's state isn't the chain's present one, or nothing if it is."""
    status, text = ask(metrics_address, "/readyz")
    return "" if status == 200 else text.strip()


def get_status(path: Path) -> dict[str, Any]:
    """Return what the node in a home says of itself, and where it listens."""
    home = Home(path)
    config = home.read_config()
    process = home.find_process()
    shown: dict[str, Any] = {
        "name": config.moniker,
        "home": str(path),
        "process": process,
        "state": "stopped",
        "height": None,
        "app_hash": None,
        "peers": None,
        "rpc": config.rpc_address,
        "grpc": config.grpc_address,
        "metrics": config.metrics_address,
        "rest": config.rest_address,
    }
    if process is None:
        return shown
    shown["state"] = find_unready(config.metrics_address) or "ready"
    status, text = ask(config.rpc_address, "/status")
    if status == 200:
        found = json.loads(text)["result"]
        shown["chain_id"] = found["node_info"]["network"]
        shown["height"] = int(found["sync_info"]["latest_block_height"])
        shown["app_hash"] = found["sync_info"]["latest_app_hash"]
        peers = json.loads(ask(config.rpc_address, "/net_info")[1])["result"]["n_peers"]
        shown["peers"] = int(peers)
    return shown
