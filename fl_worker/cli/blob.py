"""`pollen blob`: bytes by their name, in the store of the signing key."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fl_worker.cli.output import show
from fl_worker.cli.reader import read_listen
from fl_worker.cli.session import open_store, run
from fl_worker.cli.settings import Misused, Settings, current, make_noun

app = make_noun()

TAG = "own"


@app.command()
def put(file: Annotated[Path, typer.Argument(help="What to keep.")]) -> None:
    """Keep a file, and show its CID."""
    settings = current()
    if not file.is_file():
        raise Misused(f"{file}: no such file")
    store = open_store(settings)
    blob = store.put_blob(file, TAG)
    store.close()
    value = {"cid": blob.cid, "size_bytes": blob.size_bytes}
    show(settings, value, f"{blob.cid}  {blob.size_bytes:,} bytes")


@app.command()
def get(
    cid: Annotated[str, typer.Argument(metavar="CID")],
    size_bytes: Annotated[
        int | None, typer.Option(min=0, help="Its length; not needed for what is here.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="(default: stdout)")] = None,
    gateway: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="(default: every reader)")
    ] = None,
) -> None:
    """Fetch bytes by their CID, from the own store or from whom serves them, and check them."""
    settings = current()
    data = run(fetch(settings, cid, size_bytes, gateway or []))
    if out is None:
        sys.stdout.buffer.write(data)
        return
    out.write_bytes(data)
    value = {"cid": cid, "size_bytes": len(data), "file": str(out)}
    show(settings, value, f"{out}: {len(data):,} bytes")


async def fetch(
    settings: Settings, cid: str, size_bytes: int | None, gateways: Sequence[str]
) -> bytes:
    """Return a blob's bytes; without its length only a block that is here."""
    from fl_worker.blobs.cids import Blob
    from fl_worker.cli.participant import open_participant

    async with open_participant(settings) as me:
        if size_bytes is None:
            block = me.store.get(cid)
            if block is None:
                raise Misused(f"{cid} isn't here; to fetch it say how long it is: --size-bytes N")
            return block
        blob = Blob(cid, size_bytes)
        sources = gateways or await me.peers.all_endpoints()
        await me.pusher.transfer.fetch(blob, sources, me.store, TAG)
        return me.store.read(blob)


@app.command()
def serve(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT")] = "127.0.0.1:8080",
) -> None:
    """Serve the own store to everybody until Ctrl-C, as an IPFS gateway does; take nothing."""
    from fl_worker.blobs.gateway import Gateway

    settings = current()
    host, port = read_listen(listen)
    store = open_store(settings)

    async def serve_until_told() -> None:
        gateway = Gateway(store)
        try:
            port_taken = await gateway.start(host, port)
            url = f"http://{host}:{port_taken}"
            show(settings, {"event": "ready", "endpoint": url}, f"serving {url}/ipfs/CID")
            await asyncio.Event().wait()
        finally:
            await gateway.stop()
            store.close()

    run(serve_until_told())
