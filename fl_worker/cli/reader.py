"""`pollen aggregator` and `pollen evaluator`: the readers, which differ in their role alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from app.sdk.protocol import Address, Role
from fl_worker.blobs.cids import BlobFault
from fl_worker.cli.registration import add_registration_commands
from fl_worker.cli.session import find_address, own_folder
from fl_worker.cli.settings import Misused, Settings, current, make_noun
from fl_worker.cli.typed import amount_option, size_option
from fl_worker.posting.reading import read_count

if TYPE_CHECKING:
    from fl_worker.roles.reader import ReaderRole

log = logging.getLogger("pollen")

SWEEP_S = 3600.0
ANY_HOSTS = ("0.0.0.0", "::", "")


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """What a reader is started with; an empty endpoint follows from where it listens."""

    role: Role
    host: str
    port: int
    endpoint: str
    bond_uflt: int
    payout: Address
    store_bytes: int


def make_reader_noun(role: Role) -> typer.Typer:
    """Return the commands of one of the two readers."""
    app = make_noun()
    app.command("start")(make_start(role))
    add_registration_commands(app)
    return app


def make_start(role: Role) -> Callable[..., None]:
    """Return the command that runs one of the two readers."""

    def start(
        listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Port 0: a free one.")],
        endpoint: Annotated[
            str,
            typer.Option(
                metavar="URL", help="Where others reach it. (default: http:// and --listen)"
            ),
        ] = "",
        bond: Annotated[int, amount_option("Register with this bond, unless registered.")] = 0,
        payout: Annotated[str, typer.Option(help="Where pay goes: an address or a key.")] = "",
        store_max: Annotated[int, size_option("The most to keep on disk.", "20GB")] = 20 << 30,
    ) -> None:
        settings = current()
        host, port = read_listen(listen)
        if not endpoint and host in ANY_HOSTS:
            raise Misused(
                f"--listen {listen}: nobody can be told to connect to {host or 'nowhere'!r}; "
                "give --endpoint http://HOST:PORT as others reach it"
            )
        options = ReaderOptions(
            role=role,
            host=host,
            port=port,
            endpoint=endpoint.rstrip("/"),
            bond_uflt=bond,
            payout=find_address(settings, payout) if payout else Address(b""),
            store_bytes=store_max,
        )
        run_reader(settings, options)

    start.__doc__ = f"Run the {role.name.lower()} until Ctrl-C: collect, check, combine and serve."
    return start


def read_listen(text: str) -> tuple[str, int]:
    """Return the host and the port to listen on."""
    host, colon, port = text.rpartition(":")
    try:
        number = read_count(port)
    except ValueError:
        number = 1 << 16
    if not colon or number >= 1 << 16:
        raise Misused(f"--listen {text!r}: give HOST:PORT with a port from 0 to 65535")
    return host.strip("[]"), number


def run_reader(settings: Settings, options: ReaderOptions) -> None:
    """Run a reader until it is told to end."""
    from fl_worker.cli.running import locked, logged, run_until_told

    with logged(settings), locked(own_folder(settings)):
        run_until_told(read_jobs(settings, options))


async def read_jobs(settings: Settings, options: ReaderOptions) -> None:
    """Serve, register, and follow every job."""
    from app.sdk.protocol import address_of, verify_secp256k1
    from app.sdk.text import to_bech32
    from fl_worker.blobs.gateway import Gateway
    from fl_worker.blobs.permit import Access
    from fl_worker.blobs.sealing import keep_reader_key
    from fl_worker.cli.participant import open_participant
    from fl_worker.cli.running import Wanted, ensure_registered, say_ready
    from fl_worker.flower.sandbox import sandbox_warning
    from fl_worker.roles.agent import follow_all
    from fl_worker.roles.opener import Opener, OpenerConfig
    from fl_worker.roles.reader import ReaderConfig, ReaderRole

    async with open_participant(settings, options.store_bytes) as me:
        secret = keep_reader_key(me.folder)
        opener = None
        if options.role == Role.EVALUATOR:
            opener = Opener(me.peers, OpenerConfig(me.folder, secret))
            if sandbox_warning():
                log.warning("it runs the apps of all jobs that it scores: %s", sandbox_warning())
        config = ReaderConfig(options.role.name.lower())
        role = ReaderRole(me.chain, me.store, me.peers, config, opener)
        access = Access(
            chain_id=me.client.chain_id,
            authorize=role.authorize,
            verify=verify_secp256k1,
            address_of=lambda pubkey: to_bech32(address_of(pubkey)),
        )
        gateway = Gateway(me.store, access)
        sweeper = asyncio.create_task(sweep(role))
        try:
            port = await gateway.start(options.host, options.port)
            endpoint = options.endpoint or f"http://{options.host}:{port}"
            wanted = Wanted(
                role=options.role,
                bond_uflt=options.bond_uflt,
                payout=options.payout,
                endpoint=endpoint,
                reader_key=bytes(secret.public_key),
            )
            say_ready(settings, options.role, await ensure_registered(me.client, me.signer, wanted))
            await follow_all(me.chain, role)
        finally:
            sweeper.cancel()
            await gateway.stop()
            if opener is not None:
                await opener.close()


async def sweep(role: ReaderRole) -> None:
    """Give back from time to time what was kept long enough."""
    while True:
        try:
            await role.sweep()
        except BlobFault as fault:
            log.warning("nothing is given back for now: %s", fault)
        await asyncio.sleep(SWEEP_S)
