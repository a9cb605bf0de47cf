"""`pollen`: what requesters, workers, aggregators, evaluators and watchers do, a file a noun.

A noun's file is imported only when the noun is typed, and what is heavy (Flower, PyTorch, numpy)
only by the command that needs it: the command line itself starts at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from importlib import import_module

import click
import typer

NOUNS = {
    "job": "Post a job, follow it, take its model.",
    "round": "Look at one round of a job.",
    "worker": "Train on your own data, for pay.",
    "aggregator": "Combine updates, for pay.",
    "evaluator": "Check updates and models, for pay.",
    "watcher": "Prove false models false, for part of what that costs the liars.",
    "validator": "Become a validator, and what belongs to one.",
    "stake": "Stake money with validators, for a part of the fees.",
    "allowance": "Let others pay fees with your money.",
    "gov": "Propose what the chain shall do, and vote on it.",
    "keys": "The keys that sign.",
    "blob": "Bytes by their name (CID).",
    "tx": "Transactions.",
}
VERBS = {
    "send": ("money", "Send money."),
    "balance": ("money", "Show what an account holds."),
    "faucet": ("money", "Take money from the faucet of a local network."),
    "stats": ("stats", "Show what the chain has done so far."),
    "query": ("query", "Ask the chain anything."),
}
INTERRUPTED = 130
TRACEBACK_VARIABLE = "POLLEN_TRACEBACK"


def main() -> None:
    """Run the command that was typed and exit: 0, 1 for a failure, 130 after Ctrl-C."""
    words = {*sys.argv[1:], *os.environ.get("COMP_WORDS", "").split()}
    sys.exit(run(build(words), sys.argv[1:]))


def build(words: Collection[str]) -> click.Command:
    """Return the command line; a noun or verb that isn't among the words has its name alone."""
    from fl_worker.cli.settings import add_settings

    app = typer.Typer(
        help="Pollen: a marketplace for federated learning that is its own chain.",
        epilog=f"{TRACEBACK_VARIABLE}=1 shows where in the code a failure came from.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    nouns = {noun: import_module(f"fl_worker.cli.{noun}") for noun in NOUNS if noun in words}
    for noun, text in NOUNS.items():
        typed = nouns[noun].app if noun in nouns else typer.Typer()
        app.add_typer(typed, name=noun, help=text, no_args_is_help=True)
    for verb, (file, text) in VERBS.items():
        if verb in words:
            module = import_module(f"fl_worker.cli.{file}")
            context = getattr(module, "CONTEXT_SETTINGS", None)
            app.command(verb, context_settings=context)(getattr(module, verb))
        else:
            app.command(verb, help=text)(nothing)
    command = typer.main.get_group(app)
    for noun, module in nouns.items():
        if hasattr(module, "extend"):
            module.extend(command.commands[noun])
    add_settings(command)
    return command


def nothing() -> None:
    """Stand for a verb that wasn't typed."""


def run(command: click.Command, arguments: list[str]) -> int:
    """Run a command line and return its exit code; what goes wrong is one sentence on stderr."""
    context: dict[str, object] = {}
    try:
        code = command.main(arguments, prog_name="pollen", standalone_mode=False, obj=context)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        from fl_worker.cli.output import show_error

        show_error(error, is_json=context.get("output") == "json")
        return 1
