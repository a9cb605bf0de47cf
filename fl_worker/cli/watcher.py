"""`pollen watcher`: prove false models false, for part of what that costs the liars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.sdk.text import to_bech32
from fl_worker.cli.output import money, show, table
from fl_worker.cli.session import own_folder, own_journal
from fl_worker.cli.settings import Misused, Settings, current, make_noun
from fl_worker.cli.typed import amount_option, size_option

if TYPE_CHECKING:
    from fl_worker.roles.journal import Challenge
    from fl_worker.roles.watcher import WatcherConfig

app = make_noun()


@app.command()
def start(
    *,
    job: Annotated[
        list[int] | None,
        typer.Option("--job", metavar="ID", min=1, help="Watch this job alone, or several."),
    ] = None,
    deposit_max: Annotated[
        int, amount_option("The most money at stake at once. (default: 100flt)")
    ] = 100_000_000,
    store_max: Annotated[int, size_option("The most to keep on disk.", "20GB")] = 20 << 30,
) -> None:
    """Run the watcher until Ctrl-C: recompute every model, challenge the false ones, earn."""
    from fl_worker.cli.running import locked, logged, run_until_told
    from fl_worker.roles.watcher import WatcherConfig

    settings = current()
    config = WatcherConfig(deposit_max, frozenset(job or ()))
    with logged(settings), locked(own_folder(settings)):
        run_until_told(watch(settings, config, store_max))


async def watch(settings: Settings, config: WatcherConfig, store_bytes: int) -> None:
    """See that a challenge could be paid, and follow the jobs."""
    from fl_worker.cli.participant import open_participant
    from fl_worker.cli.running import find_registration, tell_ready
    from fl_worker.roles.agent import follow_all
    from fl_worker.roles.watcher import Watcher

    async with open_participant(settings, store_bytes) as me:
        known = await find_registration(me.client, me.signer.address)
        if known is not None:
            raise Misused(
                f"{to_bech32(me.signer.address)} is registered as {known.role.name.lower()}; an "
                "account has one role: use another key (--from)"
            )
        role = Watcher(me.chain, me.store, me.peers, config)
        await role.require_money()
        tell_ready(settings, role=role.name, address=to_bech32(me.signer.address), endpoint="")
        await follow_all(me.chain, role)


@app.command()
def earnings() -> None:
    """Show the challenges that this key's watcher has made, and what they earned."""
    settings = current()
    with own_journal(settings) as journal:
        found = [] if journal is None else journal.challenges()
    earned = sum(each.earned_uflt for each in found)
    staked = sum(each.deposit_uflt for each in found if not each.outcome)
    rows = [
        [each.job_id, each.round, each.outcome or "goes on", *amounts_of(each)] for each in found
    ]
    rows.append(["", "", "in all", "", money(earned)])
    value = {
        "earned_uflt": earned,
        "staked_uflt": staked,
        "challenges": [
            {
                "job_id": each.job_id,
                "round": each.round,
                "outcome": each.outcome,
                "deposit_uflt": each.deposit_uflt,
                "earned_uflt": each.earned_uflt,
            }
            for each in found
        ],
    }
    show(settings, value, table("", ["job", "round", "challenge", "deposit", "earned"], rows))


def amounts_of(challenge: Challenge) -> tuple[str, str]:
    """Return what a challenge staked and earned, in words."""
    return money(challenge.deposit_uflt), money(challenge.earned_uflt)
