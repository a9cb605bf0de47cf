"""`pollen job serve`: the requester's part while its jobs run."""

from __future__ import annotations

from fl_worker.cli.session import own_folder
from fl_worker.cli.settings import Settings, current


def serve() -> None:
    """Grant your jobs' validation slices to their evaluators, until Ctrl-C.

    It serves all jobs of the key that score their rounds, which without it are paid equally, and
    those whose result you reject, which without it counts as accepted.
    """
    from fl_worker.cli.running import locked, logged, run_until_told

    settings = current()
    with logged(settings), locked(own_folder(settings)):
        run_until_told(serve_jobs(settings))


async def serve_jobs(settings: Settings) -> None:
    """Follow the key's own jobs, and grant what is drawn."""
    from app.sdk.text import to_bech32
    from fl_worker.cli.participant import open_participant
    from fl_worker.cli.running import tell_ready
    from fl_worker.roles.agent import follow_all
    from fl_worker.roles.requester import Requester

    async with open_participant(settings) as me:
        tell_ready(settings, role="requester", address=to_bech32(me.signer.address))
        await follow_all(me.chain, Requester(me.chain))
