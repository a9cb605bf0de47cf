"""`pollend`: make and run a node, or a network of them on this machine."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.kernel.record import NO_ADDRESS, Address
from app.node.config import LOG_LEVELS, VERSION, Home, NodeConfig, OperatorError

HOME = Path("~/.pollend")
LOCALNET_HOME = Path("~/.pollen-localnet")
NODE_COLUMNS = ("name", "state", "height", "process", "rpc", "grpc")


class Output(StrEnum):
    """How a command shows what it did."""

    TEXT = "text"
    JSON = "json"


class EngineMode(StrEnum):
    """Who runs CometBFT."""

    MANAGED = "managed"
    EXTERNAL = "external"


HomeOption = Annotated[
    Path, typer.Option("--home", envvar="POLLEND_HOME", help="The node's folder.")
]
NetworkOption = Annotated[
    Path, typer.Option("--home", envvar="POLLEN_LOCALNET_HOME", help="The network's folder.")
]
OutputOption = Annotated[Output, typer.Option("--output", help="Text for people, or JSON.")]
GenesisOption = Annotated[
    str,
    typer.Option(help="Params of a new chain: localnet, testnet, minimal or a file."),
]

app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
network_app = typer.Typer(help="A network of validators on this machine.", no_args_is_help=True)
app.add_typer(network_app, name="localnet")
vrf_app = typer.Typer(help="A validator's keys for the beacon.", no_args_is_help=True)
app.add_typer(vrf_app, name="vrf")


@app.command()
def init(
    home: HomeOption = HOME,
    moniker: Annotated[str, typer.Option(help="The node's name.")] = "pollen",
    chain_id: Annotated[str, typer.Option(help="The new chain's name.")] = "pollen-local",
    genesis: GenesisOption = "localnet",
    peers: Annotated[str, typer.Option(help="Whom to connect to: <id>@<host>:<port>,…")] = "",
    *,
    operator: Annotated[
        str, typer.Option(help="A new chain: whose account operates its validator; else one made.")
    ] = "",
    output: OutputOption = Output.TEXT,
) -> None:
    """Make a node: for a chain of its own, or with a chain's genesis file to join it."""
    from app.node.genesis import init_home

    with errors_shown(output):
        config = NodeConfig(moniker=moniker, peers=tuple(filter(None, peers.split(","))))
        place = Home(absolute(home))
        made = init_home(place, config, chain_id, genesis, read_operator(operator))
        words = f"Made a node in {made['home']}. Next: pollend start --home {home}"
        if made["operator"] is None:
            keys = f"--pubkey {made['public_key']} --vrf-key {made['vrf_key']}"
            words += (
                "\nTo be a validator, once it has the chain's blocks: pollen validator create "
                f"{keys} --moniker {moniker} --stake 1000flt --from KEY"
            )
        show(output, made, words)


@app.command()
def start(
    home: HomeOption = HOME,
    engine: Annotated[EngineMode, typer.Option(help="Who runs CometBFT.")] = EngineMode.MANAGED,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "",
    state_sync: Annotated[
        str, typer.Option(help="A new node: begin from a snapshot; RPC,RPC of nodes to believe.")
    ] = "",
    *,
    trust_height: Annotated[int, typer.Option(help="With it: a block you know,")] = 0,
    trust_hash: Annotated[
        str, typer.Option(help="and its hash; else the first RPC's newest.")
    ] = "",
    halt_height: Annotated[
        int, typer.Option(min=0, help="Stop after this block, as for an upgrade; 0: never.")
    ] = 0,
    output: OutputOption = Output.TEXT,
) -> None:
    """Run the node until Ctrl-C or SIGTERM; --output json writes its log as JSON."""
    from app.kernel.errors import InvariantBroken, UpgradeNeeded
    from app.node.log import set_up_logging

    with errors_shown(output):
        place = Home(absolute(home))
        config = place.read_config()
        level = log_level or config.log_level
        if level not in LOG_LEVELS:
            raise OperatorError(f"log_level {level}: none of {', '.join(LOG_LEVELS)}")
        set_up_logging("json" if output == Output.JSON else config.log_format, level)
        from app.node.run import run_node
        from app.node.state_sync import choose_trust

        log = logging.getLogger("pollend")
        log.info("pollend %s, process %d, home %s", VERSION, os.getpid(), place.path)
        is_external = engine == EngineMode.EXTERNAL
        try:
            trust = choose_trust(state_sync, trust_height, trust_hash) if state_sync else None
            work = run_node(
                place, config, trust, is_engine_external=is_external, halt_height=halt_height
            )
            asyncio.run(work)
        except (OperatorError, UpgradeNeeded) as error:
            log.error("%s", error)
            raise typer.Exit(1) from None
        except InvariantBroken as sentence:
            log.critical("this must always hold and doesn't: %s", sentence)
            raise typer.Exit(1) from None
        except Exception:
            log.critical("stopped by a fault of its own; please report it", exc_info=True)
            raise typer.Exit(1) from None


@app.command()
def reset(home: HomeOption = HOME, output: OutputOption = Output.TEXT) -> None:
    """Remove a node's state and blocks, to begin again; keys and settings stay."""
    from app.node.upkeep import reset_home

    with errors_shown(output):
        removed = reset_home(Home(absolute(home)))
        words = f"Removed {', '.join(removed)}. Keys and settings are as they were."
        show(output, {"removed": removed}, words)


@app.command()
def rollback(
    home: HomeOption = HOME,
    blocks: Annotated[int, typer.Option(help="How many blocks the application goes back.")] = 1,
    output: OutputOption = Output.TEXT,
) -> None:
    """Take a stopped node's last block back, so that it is executed again at the next start.

    For a node whose state went wrong, after the cause is mended. The engine's state goes back by
    one block; the block stays and nothing is signed twice. Asked again, it goes back no further.
    """
    from app.node.upkeep import roll_back

    with errors_shown(output):
        done = roll_back(Home(absolute(home)), blocks)
        words = (
            f"The engine's state is of height {done['engine']}, the application's of height "
            f"{done['height']} (it was {done['before']}). The blocks since then are there and are "
            f"executed again. Next: pollend start --home {home}"
        )
        show(output, done, words)


@app.command()
def export(
    home: HomeOption = HOME,
    out: Annotated[Path | None, typer.Option(help="The file to write; else it is shown.")] = None,
    chain_id: Annotated[str, typer.Option(help="The new chain's name; else the old one's.")] = "",
) -> None:
    """Write a stopped node's state as the genesis file of a chain that goes on from it."""
    from app.node.upkeep import export as export_home

    with errors_shown(Output.TEXT):
        text = json.dumps(export_home(Home(absolute(home)), chain_id), indent=1)
        if out is None:
            typer.echo(text)
        else:
            out.write_text(text)


@app.command()
def status(home: HomeOption = HOME, output: OutputOption = Output.TEXT) -> None:
    """Show what the node says of itself."""
    from app.node.status import get_status

    with errors_shown(output):
        found = get_status(absolute(home))
        show(output, found, rows=[found])
        if found["process"] is None:
            raise typer.Exit(1)


@app.command("chain-info")
def show_chain_info(
    home: HomeOption = HOME,
    rpc: Annotated[str, typer.Option(help="Where others reach the engine's RPC; a URL.")] = "",
    rest: Annotated[str, typer.Option(help="Where they reach the REST gateway.")] = "",
    grpc: Annotated[str, typer.Option(help="Where they reach gRPC.")] = "",
) -> None:
    """Print the chain for wallets and registries, as JSON: Keplr's, chain.json, assetlist.json."""
    from app.node.chain_info import describe_chain

    with errors_shown(Output.TEXT):
        place = Home(absolute(home))
        config = place.read_config()
        found = describe_chain(
            place,
            rpc or f"http://{config.rpc_address}",
            rest or f"{'https' if config.tls_certificate else 'http'}://{config.rest_address}",
            grpc or config.grpc_address,
        )
        typer.echo(json.dumps(found, indent=2))


@app.command("service")
def show_service(home: HomeOption = HOME) -> None:
    """Print the unit by which systemd runs this node: put it into /etc/systemd/system."""
    from app.node.service import describe_service

    with errors_shown(Output.TEXT):
        typer.echo(describe_service(Home(absolute(home))), nl=False)


@app.command()
def version(output: OutputOption = Output.TEXT) -> None:
    """Show the version."""
    show(output, {"pollend": VERSION}, f"pollend {VERSION}")


@vrf_app.command("show")
def show_vrf_keys(home: HomeOption = HOME, output: OutputOption = Output.TEXT) -> None:
    """Show the public keys whose secrets this node has, and the validator's address."""
    from app.node.vrf_keys import get_vrf_keys

    with errors_shown(output):
        found = get_vrf_keys(Home(absolute(home)))
        words = [f"{name:<12}{found[name]}" for name in ("validator", "public_key")]
        words += [f"vrf_key     {key}" for key in found["vrf_keys"]]
        show(output, found, "\n".join(words))


@vrf_app.command("new")
def add_vrf_key(home: HomeOption = HOME, output: OutputOption = Output.TEXT) -> None:
    """Make another key; it counts two blocks after the validator's operator registers it."""
    from app.node.vrf_keys import make_vrf_key

    with errors_shown(output):
        place = Home(absolute(home))
        place.read_config()
        key = make_vrf_key(place.vrf_keys).hex()
        words = f"Made {key}. Next: pollen validator edit VALIDATOR --vrf-key {key}"
        show(output, {"vrf_key": key}, words)


@network_app.command("start")
def start_network(
    home: NetworkOption = LOCALNET_HOME,
    validators: Annotated[
        int | None, typer.Option(help="How many nodes, each a validator; 4 in a new network.")
    ] = None,
    base_port: Annotated[int | None, typer.Option(help="The first port; else free ones.")] = None,
    genesis: GenesisOption = "localnet",
    output: OutputOption = Output.TEXT,
) -> None:
    """Start the network, made anew unless it exists; it runs on in the background."""
    from app.node.localnet import start_localnet

    with errors_shown(output):
        network = start_localnet(absolute(home), validators, base_port, genesis)
        first = network.nodes[0]
        words = (
            f"{network.chain_id} runs, {len(network.nodes)} validators. gRPC {first.grpc}, "
            f"RPC http://{first.rpc}. The faucet's key: {network.faucet}"
        )
        show(output, asdict(network), words)


@network_app.command("stop")
def stop_network(home: NetworkOption = LOCALNET_HOME, output: OutputOption = Output.TEXT) -> None:
    """Stop the network; it goes on from there when started again."""
    from app.node.localnet import stop_localnet

    with errors_shown(output):
        count = stop_localnet(absolute(home))
        show(output, {"stopped": count}, f"Stopped {count} nodes.")


@network_app.command("status")
def show_network(home: NetworkOption = LOCALNET_HOME, output: OutputOption = Output.TEXT) -> None:
    """Show each node's height and addresses."""
    from app.node.localnet import must_find
    from app.node.status import get_status

    with errors_shown(output):
        network = must_find(absolute(home))
        rows = [{"name": node.name, **get_status(Path(node.home))} for node in network.nodes]
        show(output, {**asdict(network), "nodes": rows}, rows=rows)


@network_app.command("reset")
def reset_network(home: NetworkOption = LOCALNET_HOME, output: OutputOption = Output.TEXT) -> None:
    """Stop the network and remove its chain and keys."""
    from app.node.localnet import reset_localnet

    with errors_shown(output):
        reset_localnet(absolute(home))
        show(output, {"removed": str(home)}, f"Removed the network of {home}.")


def read_operator(text: str) -> Address:
    """Return the address that an option names; none if it is left out."""
    from app.kernel.bech32 import from_bech32

    try:
        return from_bech32(text) if text else NO_ADDRESS
    except ValueError as error:
        raise OperatorError(f"--operator: {error}") from None


@contextmanager
def errors_shown(output: Output) -> Iterator[None]:
    """End with status 1 and a sentence where the operator can mend what is wrong."""
    try:
        yield
    except OperatorError as error:
        text = json.dumps({"error": str(error)}) if output == Output.JSON else f"Error: {error}"
        typer.echo(text, err=True)
        raise typer.Exit(1) from None


def show(
    output: Output, values: Mapping[str, Any], words: str = "", rows: Sequence[Any] = ()
) -> None:
    """Print values as JSON; or words, and nodes as a table."""
    if output == Output.JSON:
        typer.echo(json.dumps(values, indent=2))
        return
    if words:
        typer.echo(words)
    if rows:
        from rich.console import Console
        from rich.table import Table

        table = Table(*NODE_COLUMNS)
        for row in rows:
            table.add_row(*["" if row[name] is None else str(row[name]) for name in NODE_COLUMNS])
        Console().print(table)


def absolute(path: Path) -> Path:
    """Return a path from the root on, the user's folder filled in."""
    return path.expanduser().absolute()


def main() -> None:
    """Run a command."""
    app()


if __name__ == "__main__":
    main()
