"""Running a role until it is told to end: register, say `ready`, follow the jobs, end cleanly.

The log goes to stdout, a line an event; Ctrl-C ends with code 130, SIGTERM with 0.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.sdk.client import Client, QueryRefused
from app.sdk.protocol import (
    U64,
    Address,
    EditRegistration,
    Register,
    Registration,
    RegistrationRequest,
    Role,
)
from app.sdk.signer import Signer
from app.sdk.text import to_bech32
from fl_worker.cli.settings import Misused, Settings
from fl_worker.posting.reading import show_amount

log = logging.getLogger("pollen")

LOCK_FILE = "running.lock"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a participant is to be registered; a bond of 0 registers nobody anew."""

    role: Role
    bond_uflt: int
    payout: Address
    endpoint: str = ""
    reader_key: bytes = b""


async def ensure_registered(client: Client, signer: Signer, wanted: Wanted) -> Registration:
    """Return a participant's registration, made or brought up to date if it must be."""
    known = await find_registration(client, signer.address)
    payout = wanted.payout or (known.payout_address if known else signer.address)
    reader_key = wanted.reader_key or (known.reader_key if known else b"")
    if known is None:
        if not wanted.bond_uflt:
            raise Misused(
                f"{to_bech32(signer.address)} is registered in no role; say how much it bonds as "
                f"{wanted.role.name.lower()}, such as --bond 500flt"
            )
        bond, me = U64(wanted.bond_uflt), signer.address
        message = Register(me, wanted.role, payout, wanted.endpoint, reader_key, bond)
        await client.submit(signer, [message])
        log.info("registered, with a bond of %s", show_amount(wanted.bond_uflt))
    elif known.role != wanted.role:
        raise Misused(
            f"{to_bech32(signer.address)} is registered as {known.role.name.lower()}; an account "
            "has one role: use another key (--from)"
        )
    elif contact_of(known) != (wanted.endpoint, payout, reader_key):
        edit = EditRegistration(signer.address, payout, wanted.endpoint, reader_key, known.paused)
        await client.submit(signer, [edit])
        log.info("registration changed: endpoint %s", wanted.endpoint or "none")
    found = await find_registration(client, signer.address)
    if found is None:
        raise Misused("the registration isn't on the chain yet; start again")
    if found.paused:
        log.warning(
            "the registration is paused: go on with pollen %s resume", wanted.role.name.lower()
        )
    return found


def contact_of(known: Registration) -> tuple[str, Address, bytes]:
    """Return how a participant is reached and paid, and what is sealed for it."""
    return known.endpoint, known.payout_address, known.reader_key


async def find_registration(client: Client, address: Address) -> Registration | None:
    """Return an account's registration, or None."""
    try:
        response = await client.query(RegistrationRequest(address))
    except QueryRefused as refusal:
        if refusal.is_called("NotRegistered"):
            return None
        raise
    found: Registration = response.registration
    return found


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let only one process at a time run a participant's role."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misused(
                f"a role runs with {folder} already; end it first, or use another key (--from)"
            ) from None
        yield


def run_until_told(work: Coroutine[Any, Any, None]) -> None:
    """Run a role until it is told to end; Ctrl-C is raised once all is closed, SIGTERM is not."""
    told: list[int] = []

    async def supervised() -> None:
        task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()

        def end(number: int) -> None:
            told.append(number)
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end, number)
        await task

    try:
        asyncio.run(supervised())
    except asyncio.CancelledError:
        if not told:
            raise
    log.info("ended")
    if signal.SIGINT in told:
        raise KeyboardInterrupt


def say_ready(settings: Settings, role: Role, registration: Registration) -> None:
    """Say that a role is registered and follows the chain."""
    log.info(
        "%s %s, bond %s, %s of it locked%s",
        role.name.lower(),
        to_bech32(registration.participant),
        show_amount(registration.bonded_uflt),
        show_amount(registration.locked_uflt),
        f", endpoint {registration.endpoint}" if registration.endpoint else "",
    )
    tell_ready(
        settings,
        role=role.name.lower(),
        address=to_bech32(registration.participant),
        endpoint=registration.endpoint,
    )


def tell_ready(settings: Settings, **who: str) -> None:
    """Print the one line that scripts wait for."""
    event = {"event": "ready", **who}
    print(json.dumps(event) if settings.log == "json" else "ready", flush=True)


@contextmanager
def logged(settings: Settings) -> Iterator[None]:
    """Write the log to stdout meanwhile, as text or as JSON, a line an event."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines() if settings.log == "json" else TextLines())
    level, propagates = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagates


class TextLines(logging.Formatter):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and the traceback of a fault of ours."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        text = f"{clock} {record.levelname.lower():7} {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class JsonLines(logging.Formatter):
    """Lines for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object."""
        line = {
            "event": "log",
            "time_unix_s": round(record.created, 3),
            "level": record.levelname.lower(),
            "text": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)
