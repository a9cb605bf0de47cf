"""What an operator does to a node that is stopped."""

from __future__ import annotations

import shutil

from app.node.comet import reset_data
from app.node.config import Home


def reset_home(home: Home) -> list[str]:
    """Remove a node's state, snapshots and blocks; returns what was removed."""
    home.read_config()
    with home.lock():
        removed = [path for path in (home.state, home.snapshots) if path.exists()]
        for path in removed:
            shutil.rmtree(path)
        reset_data(home.engine)
    return [str(path) for path in (*removed, home.engine / "data")]
