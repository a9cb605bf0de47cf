"""`pollen stats`: what the chain has done so far."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from app.sdk.protocol import (
    PPM,
    Ending,
    Epoch,
    Holdings,
    StatisticsRequest,
    StatisticsResponse,
    Totals,
)
from fl_worker.cli.output import facts, money, show, table, to_json
from fl_worker.cli.session import connected, run
from fl_worker.cli.settings import current

MILLIONTHS = 1_000_000


def stats() -> None:
    """Show what the chain has done: jobs, rounds, tasks, pay, participants, money."""
    settings = current()

    async def ask() -> StatisticsResponse:
        async with connected(settings) as client:
            found: StatisticsResponse = await client.query(StatisticsRequest())
            return found

    found = run(ask())
    show(settings, to_json(found), *describe(found))


def describe(found: StatisticsResponse) -> tuple[Any, ...]:
    """Return statistics as tables."""
    people = found.participants
    epochs = [
        describe_epoch("this one", people.epoch, people.active_count, found.epoch_churn_ppm),
        describe_epoch(
            "the last", people.last_epoch, people.epoch.start_count, found.last_epoch_churn_ppm
        ),
    ]
    registered = f"{people.registered_count:,} registered, {people.active_count:,} with a bond"
    columns = ("epoch", "at its start", "joined", "left", "at its end", "churn")
    return (
        facts("Work", describe_work(found)),
        *([describe_endings(found.endings)] if found.endings else []),
        table(f"Participants: {registered}", columns, epochs),
        facts("Money", describe_holdings(found.holdings)),
    )


def describe_work(found: StatisticsResponse) -> dict[str, str]:
    """Return what was asked, done and paid."""
    totals: Totals = found.totals
    tasks = {
        "included": totals.included_count,
        "excluded": totals.excluded_count,
        "missed": totals.missed_count,
        "late": totals.late_count,
        "dropped": totals.dropped_count,
    }
    per_example = found.reward_per_example_millionths / MILLIONTHS
    return {
        "jobs posted": f"{totals.job_count:,}",
        "rounds drawn": f"{totals.round_count:,}, with {totals.seat_count:,} seats",
        "tasks": ", ".join(f"{count:,} {name}" for name, count in tasks.items()),
        "task completion": percent(found.task_completion_ppm),
        "paid by jobs": money(totals.paid_uflt),
        "reward per example": (
            f"{per_example:,.6g} uflt ({money(totals.reward_uflt)} for {totals.example_count:,})"
        ),
    }


def describe_endings(endings: tuple[Ending, ...]) -> Table:
    """Return how jobs and rounds ended, and why."""
    rows = [[each.subject, each.phase.lower(), each.reason, each.count] for each in endings]
    return table("Endings", ("of a", "how", "why", "times"), rows)


def describe_epoch(name: str, epoch: Epoch, end_count: int, churn_ppm: int) -> list[Any]:
    """Return who came and went in an epoch, as a row."""
    counts = [epoch.start_count, epoch.joined_count, epoch.left_count, end_count]
    return [name, *counts, percent(churn_ppm)]


def describe_holdings(holdings: Holdings) -> dict[str, str]:
    """Return where money lies."""
    return {
        "in escrow": money(holdings.escrow_uflt),
        "in bonds": money(holdings.bonded_uflt),
        "in deposits": money(holdings.deposit_uflt),
        "treasury": money(holdings.treasury_uflt),
        "burned": money(holdings.burned_uflt),
        "supply": money(holdings.supply_uflt),
    }


def percent(ppm: int) -> str:
    """Write parts per million."""
    return f"{100 * ppm / PPM:.2f} %"
