"""What keeps an app apart: no network, no files but those it needs, limits, a home of its own.

Bubblewrap does the first two where it is installed and works; without it the app still gets its
limits and its home, and `sandbox_warning` says what is missing.
"""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from fl_worker.flower.fab import QUIET_FLOWER, ConfigValue

CHILD = Path(__file__).resolve().parent / "child.py"
SYSTEM_PATHS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache")
NETWORK_PATHS = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl")
PROBE_S_MAX = 10


@dataclass(frozen=True)
class Limits:
    """What one process of an app may use; the seconds are for each request."""

    memory_bytes_max: int = 4 * 1024**3
    file_bytes_max: int = 1024**3
    thread_count_max: int = 4096
    cpu_s_max: int = 3600
    wall_s_max: float = 600.0


@dataclass(frozen=True)
class Sandbox:
    """Which files an app may read, whether it may use the network, and its limits."""

    readable: tuple[Path, ...]
    limits: Limits = Limits()
    has_network: bool = False


def readable_paths(app_dir: Path, node_config: Mapping[str, ConfigValue]) -> tuple[Path, ...]:
    """Give the app's folder and every existing absolute path that the node config names.

    By naming a path there its owner lets the app read it.
    """
    named = [Path(value) for value in node_config.values() if isinstance(value, str)]
    return (app_dir, *(path for path in named if path.is_absolute() and path.exists()))


def child_command(sandbox: Sandbox, home: Path) -> list[str]:
    """Compose the command line of an app's process, sandboxed where that is possible."""
    settings = asdict(sandbox.limits)
    command = [sys.executable, "-I", "-B", str(CHILD), json.dumps(settings)]
    if sandbox_warning():
        return command
    return [*_bubblewrap(sandbox, home), *command]


def child_environment(home: Path) -> dict[str, str]:
    """Compose the whole environment of an app's process: nothing of ours, one thread."""
    return {
        **QUIET_FLOWER,
        "FLWR_HOME": str(home / ".flwr"),
        "HOME": str(home),
        "TMPDIR": str(home),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


@functools.cache
def sandbox_warning() -> str:
    """Say what an app can do here that it shouldn't, and how to prevent it; empty if nothing."""
    program = shutil.which("bwrap")
    risk = "apps run with access to your files and network"
    if program is None:
        return f"bubblewrap isn't installed: {risk}. Install it, e.g. `apt install bubblewrap`."
    probe = [program, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    try:
        subprocess.run(probe, check=True, capture_output=True, timeout=PROBE_S_MAX)
    except subprocess.CalledProcessError as error:
        detail = error.stderr.decode(errors="replace").strip()
        return f"bubblewrap can't make a sandbox here ({detail}): {risk}. Allow user namespaces."
    except subprocess.TimeoutExpired:
        return f"bubblewrap didn't answer within {PROBE_S_MAX} s: {risk}."
    return ""


def _bubblewrap(sandbox: Sandbox, home: Path) -> list[str]:
    """Compose bubblewrap's part: a root of only what is needed, writable in the home alone."""
    python = {sys.prefix, sys.base_prefix}
    readable = [str(CHILD.parent), *sorted(python), *(str(path) for path in sandbox.readable)]
    optional = SYSTEM_PATHS + (NETWORK_PATHS if sandbox.has_network else ())
    binds = [part for path in optional for part in ("--ro-bind-try", path, path)]
    binds += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    binds += [part for path in readable for part in ("--ro-bind", path, path)]
    binds += ["--bind", str(home), str(home), "--chdir", str(home)]
    network = ["--share-net"] if sandbox.has_network else []
    bwrap = shutil.which("bwrap") or "bwrap"
    return [bwrap, "--unshare-all", *network, "--die-with-parent", "--new-session", *binds, "--"]
