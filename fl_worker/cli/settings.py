"""The options that every command takes, and what they say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import typer
from typer.core import TyperOption

PANEL = "Everywhere"
DEFAULT_NODE = "127.0.0.1:9090"
HOME = "~/.pollen"
LOCALNET_HOME = "~/.pollen-localnet"
LOCALNET_FILE = "localnet.json"


class Misused(Exception):
    """A command that can't be run as it was typed; the text says what to type."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options that every command takes say."""

    output: str
    log: str
    home: Path
    nodes: tuple[str, ...]
    key: str
    is_unencrypted: bool
    allow_private: bool
    localnet: Path
    store: str = ""
    fee_granter: str = ""

    @property
    def is_json(self) -> bool:
        """Whether stdout is for programs."""
        return self.output == "json"


def add_settings(command: click.Command) -> None:
    """Give the options that every command takes to a command and all below it."""
    command.params += [make_option(*row[:2], **row[2]) for row in OPTIONS]
    if isinstance(command, click.Group):
        for each in command.commands.values():
            add_settings(each)


def make_option(name: str, text: str, **details: Any) -> click.Option:
    """Return one option; what it says is found in the context's `obj` under the option's name."""
    return TyperOption(
        param_decls=[f"--{name}", name.replace("-", "_")],
        help=text,
        expose_value=False,
        callback=remember,
        rich_help_panel=PANEL,
        show_default=False,
        **details,
    )


OPTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "output",
        "table, or json on stdout and nothing else.",
        {"type": click.Choice(["table", "json"]), "default": "table"},
    ),
    (
        "node",
        f"A node's gRPC address, or several. (default: the local network's, or {DEFAULT_NODE})",
        {"multiple": True, "envvar": "POLLEN_NODE"},
    ),
    (
        "home",
        f"Where keys and work are kept. (default: {HOME})",
        {"envvar": "POLLEN_HOME", "default": HOME},
    ),
    (
        "from",
        "The key that signs. (default: the only one)",
        {"envvar": "POLLEN_FROM", "default": ""},
    ),
    (
        "fee-granter",
        "Who pays the fees, having allowed it: an address or a key. (default: the signing key)",
        {"metavar": "WHO", "envvar": "POLLEN_FEE_GRANTER", "default": ""},
    ),
    (
        "unencrypted",
        "Keep and use keys in clear: for tests.",
        {"is_flag": True, "default": False, "envvar": "POLLEN_UNENCRYPTED"},
    ),
    (
        "allow-private",
        "Connect to endpoints at private addresses. (default: on a local network only)",
        {"is_flag": True, "default": False, "envvar": "POLLEN_ALLOW_PRIVATE"},
    ),
    (
        "localnet",
        f"The folder of a local network. (default: {LOCALNET_HOME})",
        {"envvar": "POLLEN_LOCALNET_HOME", "default": LOCALNET_HOME},
    ),
    (
        "store",
        "Keep bytes in the IPFS node (kubo) with this RPC. (default: in the key's folder)",
        {"metavar": "URL", "envvar": "POLLEN_STORE", "default": ""},
    ),
    (
        "log",
        "How a role writes its log: text or json.",
        {"type": click.Choice(["text", "json"]), "default": "text", "envvar": "POLLEN_LOG"},
    ),
)


def remember(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Keep an option's value; a default doesn't replace what was said further to the left."""
    said: dict[str, Any] = context.find_root().ensure_object(dict)
    source = context.get_parameter_source(str(option.name))
    if source is click.core.ParameterSource.DEFAULT:
        said.setdefault(str(option.name), value)
    else:
        said[str(option.name)] = value


def current() -> Settings:
    """Return what the command that runs was told."""
    said: dict[str, Any] = click.get_current_context().find_root().obj
    localnet = Path(said["localnet"]).expanduser()
    local_nodes = () if said["node"] else find_nodes(localnet)
    return Settings(
        output=said["output"],
        log="json" if said["output"] == "json" else said["log"],
        home=Path(said["home"]).expanduser(),
        nodes=tuple(said["node"]) or local_nodes or (DEFAULT_NODE,),
        key=said["from"],
        is_unencrypted=said["unencrypted"],
        allow_private=said["allow_private"] or bool(local_nodes),
        localnet=localnet,
        store=said["store"],
        fee_granter=said["fee_granter"],
    )


def find_nodes(localnet: Path) -> tuple[str, ...]:
    """Return the nodes of the local network, if there is one."""
    try:
        network = json.loads((localnet / LOCALNET_FILE).read_text())
        return tuple(node["grpc"] for node in network["nodes"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def make_noun() -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(pretty_exceptions_enable=False, rich_markup_mode="rich")
