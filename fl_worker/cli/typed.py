"""What is typed, read as what it means; a text that can't be read is bad usage, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import click
import typer

from fl_worker.posting.reading import read_amount, read_size


def read_as(read: Callable[[str], Any], name: str) -> Callable[[Any], Any]:
    """Return what reads an option's text, shown by a name; a default is read already."""

    def parse(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        try:
            return read(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    parse.__name__ = name
    return parse


def amount_option(text: str) -> Any:
    """Return an option that takes an amount of money."""
    parser = read_as(read_amount, "AMOUNT")
    return typer.Option(parser=parser, metavar="AMOUNT", help=text, show_default=False)


def size_option(text: str, shown: str) -> Any:
    """Return an option that takes a number of bytes, whose default is shown so."""
    parser = read_as(read_size, "SIZE")
    return typer.Option(parser=parser, metavar="SIZE", help=text, show_default=shown)


def amount_argument(text: str) -> Any:
    """Return an argument that is an amount of money."""
    return typer.Argument(parser=read_as(read_amount, "AMOUNT"), metavar="AMOUNT", help=text)


def bytes_argument(name: str, text: str) -> Any:
    """Return an argument that is bytes in hexadecimal."""
    return typer.Argument(parser=read_as(bytes.fromhex, "HEX"), metavar=name, help=text)


def bytes_option(text: str) -> Any:
    """Return an option that takes bytes in hexadecimal."""
    return typer.Option(parser=read_as(bytes.fromhex, "HEX"), metavar="HEX", help=text)


AmountArgument = Annotated[int, amount_argument("Such as 5flt, 1.5flt, 2500000uflt.")]
JobArgument = Annotated[int, typer.Argument(metavar="JOB", min=1, help="The job's number.")]
RoundArgument = Annotated[int, typer.Argument(metavar="ROUND", min=1, help="The round's number.")]
AppArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder of a Flower app (its pyproject.toml).")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
