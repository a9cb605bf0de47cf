"""What is known of the job so far, and how people see it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.table import Table

from app.sdk.protocol import (
    Address,
    JobStateResponse,
    RoundPhase,
    RoundPhaseChanged,
    ScoreStep,
    Slashed,
    UpdateRevealed,
)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "demo"
DATA = FOLDER / "data"
"""A file of each worker's own."""
FLT = 1_000_000
console = Console()


class Failed(Exception):
    """The demonstration can't go on, or showed something that isn't right."""


@dataclass
class Story:
    """What is known so far, and shown."""

    started_s: float = field(default_factory=time.monotonic)
    view: JobStateResponse | None = None
    accuracy: dict[int, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    """All that the chain said of the job, in order."""
    height: int = 0
    """The block of the last of them."""
    names: dict[Address, str] = field(default_factory=dict)
    """Who is who, and does what."""

    def has_reached(self, number: int, phase: RoundPhase) -> bool:
        """Whether a round is, or has been, in a phase."""
        changes = [event for event in self.events if isinstance(event, RoundPhaseChanged)]
        return (number, phase) in [(event.round, event.phase) for event in changes]

    def has_revealed(self, number: int, worker: Address) -> bool:
        """Whether a worker has revealed its update of a round."""
        reveals = [event for event in self.events if isinstance(event, UpdateRevealed)]
        return (number, worker) in [(event.round, event.worker) for event in reveals]

    @property
    def stood(self) -> list[float]:
        """The accuracy of each model that stands, by round; voided rounds have none."""
        known = sorted(self.accuracy.items())
        return [value for number, value in known if self.has_reached(number, RoundPhase.SETTLED)]

    @property
    def elapsed_s(self) -> float:
        """Seconds since the set-up was done."""
        return time.monotonic() - self.started_s

    def note(self, words: str) -> None:
        """Add a line to the story."""
        self.notes.append(f"{self.elapsed_s:5.1f} s  {words}")


def render(story: Story) -> Group:
    """Show the rounds and the notes so far."""
    table = Table(title="Job", title_justify="left")
    for column in ("round", "phase", "workers", "included", "attested", "accuracy"):
        table.add_column(column, justify="left" if column == "phase" else "right")
    view = story.view
    if view is None:
        return Group(table)
    table.title = (
        f"Job {view.job.job_id}  {view.job.phase.name}   "
        f"paid {view.job.paid_uflt / FLT:,.2f} flt, in escrow {view.job.escrow_uflt / FLT:,.2f} flt"
    )
    for state in view.rounds:
        current = state.round
        accuracy = story.accuracy.get(current.round)
        table.add_row(
            str(current.round),
            name_phase(current.phase, current.score_step),
            f"{current.revealed_count or current.committed_count}/{current.selected_count}",
            str(current.included_count),
            str(current.attested_count),
            f"{accuracy:.4f}" if accuracy is not None else "",
        )
    done = "  ".join(f"{number}: {value:.3f}" for number, value in sorted(story.accuracy.items()))
    return Group(table, f"accuracy by round  {done}", *list_caught(story), *story.notes)


def name_phase(phase: RoundPhase, step: ScoreStep) -> str:
    """Name a phase, and how far the scoring is."""
    return f"{phase.name} {step.name.lower()}" if step else phase.name


def list_caught(story: Story) -> list[str]:
    """Say who was caught so far, and what each has lost."""
    lost: dict[Address, list[Slashed]] = {}
    for event in story.events:
        if isinstance(event, Slashed):
            lost.setdefault(event.participant, []).append(event)
    return [
        f"caught: {story.names[who]}, {len(each)} times, lost "
        f"{sum(slash.amount_uflt for slash in each) / FLT:,.2f} flt "
        f"({', '.join(sorted({slash.fault.name.lower() for slash in each}))})"
        for who, each in lost.items()
    ]


def draw_accuracy(result: dict[str, Any]) -> None:
    """Plot accuracy by round beside plain Flower's, as a picture and in the terminal."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    curves = {
        "Pollen": result["accuracy_by_round"],
        "plain Flower": result["flower_accuracy_by_round"],
    }
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for label, values in curves.items():
        axes.plot(range(1, len(values) + 1), values, marker="o", label=label)
    axes.set(xlabel="round", ylabel="accuracy on data that no worker has", ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(FOLDER / "accuracy.png", dpi=120, bbox_inches="tight")
    table = Table(title="Accuracy by round", title_justify="left")
    table.add_column("round", justify="right")
    for label in curves:
        table.add_column(label)
    for number, values in enumerate(zip(*curves.values(), strict=False), 1):
        table.add_row(str(number), *[f"{'█' * int(20 * v):<20} {v:.4f}" for v in values])
    console.print(table)


def report(result: dict[str, Any]) -> None:
    """Print who did what, and the verdict."""
    table = Table(title="Who did what", title_justify="left")
    for column in ("name", "behaviour", "paid rounds", "earned flt", "lost flt", "reputation"):
        is_text = column in ("name", "behaviour")
        table.add_column(column, justify="left" if is_text else "right", no_wrap=column == "name")
    for row in result["participants"]:
        table.add_row(
            row["name"],
            row["behaviour"],
            str(row["paid_rounds"]),
            f"{row['earned_uflt'] / FLT:,.6f}",
            f"{row['slashed_uflt'] / FLT:,.6f}",
            f"{row['reputation_ppm'] / 1e6:.3f}",
        )
    console.print(table)
    for number, app_hash in enumerate(result["app_hashes"]):
        console.print(f"node{number}  {app_hash}")
    console.print(f"invariants {result['invariants']}, {result['seconds']} s after set-up")
    console.print(
        f"accuracy {result['accuracy']:.4f}, plain Flower {result['flower_accuracy']:.4f}; "
        f"the plot is in {(FOLDER / 'accuracy.png').relative_to(ROOT)}"
    )
    for failure in result["failures"]:
        console.print(f"[red]not right:[/] {failure}")
    console.print("[red]failed[/]" if result["failures"] else "[green]all is right[/]")
