"""A participant's memory on disk: what it will submit is written here before it is submitted.

One SQLite file a participant: killed at any moment, it holds a whole update or none, never half of
one. What binds its owner, updates, scores, measurements, keys, challenges, decisions, is on the
disk itself before anything follows from it; what can be found out again may be lost when the
power fails.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from app.sdk.protocol import Measurement, Reveal, Scores, decode, encode

SCHEMA = """
CREATE TABLE IF NOT EXISTS updates (
    job_id INTEGER, round INTEGER, reveal BLOB NOT NULL, PRIMARY KEY (job_id, round));
CREATE TABLE IF NOT EXISTS states (job_id INTEGER PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS verdicts (
    job_id INTEGER, round INTEGER, seat INTEGER, is_right INTEGER NOT NULL,
    PRIMARY KEY (job_id, round, seat));
CREATE TABLE IF NOT EXISTS models (
    job_id INTEGER, round INTEGER, root BLOB NOT NULL, cid TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, PRIMARY KEY (job_id, round));
CREATE TABLE IF NOT EXISTS challenges (
    job_id INTEGER, round INTEGER, proof BLOB NOT NULL, salt BLOB NOT NULL,
    height INTEGER NOT NULL, deposit_uflt INTEGER NOT NULL, outcome TEXT NOT NULL,
    earned_uflt INTEGER NOT NULL, PRIMARY KEY (job_id, round));
CREATE TABLE IF NOT EXISTS submissions (
    job_id INTEGER, round INTEGER, act TEXT, tx_hash TEXT, time_unix_s INTEGER);
CREATE TABLE IF NOT EXISTS slice_keys (cid TEXT PRIMARY KEY, key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS scores (
    job_id INTEGER, round INTEGER, attempt INTEGER, scores BLOB NOT NULL,
    PRIMARY KEY (job_id, round, attempt));
CREATE TABLE IF NOT EXISTS measurements (
    job_id INTEGER PRIMARY KEY, measurement BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (job_id INTEGER PRIMARY KEY, decision TEXT NOT NULL);
"""
JOINING, JOINED, LEFT = "joining", "joined", "left"


@dataclass(frozen=True, slots=True)
class CombinedModel:
    """The model that a round's included updates give."""

    root: bytes
    cid: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Challenge:
    """A proof that a round's model is false, and what came of it."""

    job_id: int
    round: int
    proof: bytes
    """Empty once the challenge has ended."""
    salt: bytes
    height: int = 0
    """A block before the one with the commitment; 0: never committed."""
    deposit_uflt: int = 0
    outcome: str = ""
    """How it ended; empty: it goes on."""
    earned_uflt: int = 0


class Journal:
    """The file; every method is one transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def save_update(self, job_id: int, number: int, reveal: Reveal, state: bytes) -> None:
        """Keep what a training gave: the reveal with its salt, and the app's state after it."""
        with self._synced(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                "INSERT INTO updates VALUES (?, ?, ?)", (job_id, number, encode(reveal))
            )
            self._database.execute("INSERT OR REPLACE INTO states VALUES (?, ?)", (job_id, state))

    def find_reveal(self, job_id: int, number: int) -> Reveal | None:
        """Return what was trained for a round, or None."""
        row = self._database.execute(
            "SELECT reveal FROM updates WHERE job_id = ? AND round = ?", (job_id, number)
        ).fetchone()
        return None if row is None else decode(Reveal, row[0])

    def find_state(self, job_id: int) -> bytes:
        """Return the app's state after its newest training; empty at first."""
        row = self._database.execute(
            "SELECT state FROM states WHERE job_id = ?", (job_id,)
        ).fetchone()
        return b"" if row is None else row[0]

    def trained_rounds(self, job_id: int) -> list[int]:
        """Return the rounds of a job whose update is kept."""
        rows = self._database.execute("SELECT round FROM updates WHERE job_id = ?", (job_id,))
        return [row[0] for row in rows]

    def save_verdict(self, job_id: int, number: int, seat: int, is_right: bool) -> None:
        """Keep whether a seat's bytes are held and right."""
        self._database.execute(
            "INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?)", (job_id, number, seat, is_right)
        )

    def verdicts(self, job_id: int) -> dict[tuple[int, int], bool]:
        """Return whether each seat's bytes, by round and seat, are held and right."""
        rows = self._database.execute(
            "SELECT round, seat, is_right FROM verdicts WHERE job_id = ?", (job_id,)
        )
        return {(number, seat): bool(is_right) for number, seat, is_right in rows}

    def save_model(self, job_id: int, number: int, model: CombinedModel) -> None:
        """Keep which model a round gives."""
        self._database.execute(
            "INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?, ?)",
            (job_id, number, model.root, model.cid, model.size_bytes),
        )

    def models(self, job_id: int) -> dict[int, CombinedModel]:
        """Return the models computed for a job, by round."""
        rows = self._database.execute(
            "SELECT round, root, cid, size_bytes FROM models WHERE job_id = ?", (job_id,)
        )
        return {row[0]: CombinedModel(*row[1:]) for row in rows}

    def save_slice_keys(self, keys: Mapping[str, bytes]) -> None:
        """Keep the content keys of a validation set's sealed slices, by CID."""
        with self._synced(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT INTO slice_keys VALUES (?, ?)", [*keys.items()])

    def find_slice_key(self, cid: str) -> bytes | None:
        """Return the content key of a sealed slice, or None."""
        row = self._database.execute("SELECT key FROM slice_keys WHERE cid = ?", (cid,)).fetchone()
        return None if row is None else row[0]

    def save_scores(self, job_id: int, number: int, attempt: int, scores: Scores) -> None:
        """Keep what an evaluator measured, with its salt."""
        with self._synced():
            self._database.execute(
                "INSERT INTO scores VALUES (?, ?, ?, ?)", (job_id, number, attempt, encode(scores))
            )

    def find_scores(self, job_id: int, number: int, attempt: int) -> Scores | None:
        """Return what was measured for an attempt to score a round, or None."""
        row = self._database.execute(
            "SELECT scores FROM scores WHERE job_id = ? AND round = ? AND attempt = ?",
            (job_id, number, attempt),
        ).fetchone()
        return None if row is None else decode(Scores, row[0])

    def scored_rounds(self, job_id: int) -> list[tuple[int, int]]:
        """Return the rounds and attempts of a job whose scores are kept."""
        rows = self._database.execute(
            "SELECT round, attempt FROM scores WHERE job_id = ?", (job_id,)
        )
        return [(number, attempt) for number, attempt in rows]

    def save_measurement(self, job_id: int, measurement: Measurement) -> None:
        """Keep what a member of a committee measured, with its salt."""
        with self._synced():
            self._database.execute(
                "INSERT INTO measurements VALUES (?, ?)", (job_id, encode(measurement))
            )

    def find_measurement(self, job_id: int) -> Measurement | None:
        """Return what was measured of a job's rejected result, or None."""
        row = self._database.execute(
            "SELECT measurement FROM measurements WHERE job_id = ?", (job_id,)
        ).fetchone()
        return None if row is None else decode(Measurement, row[0])

    def save_challenge(self, challenge: Challenge) -> None:
        """Keep a proof and its salt before anything is bound by them, and what came of it."""
        with self._synced():
            self._database.execute(
                "INSERT OR REPLACE INTO challenges VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                astuple(challenge),
            )

    def challenges(self) -> list[Challenge]:
        """Return all challenges that were ever prepared, by job and round."""
        rows = self._database.execute("SELECT * FROM challenges ORDER BY job_id, round")
        return [Challenge(*row) for row in rows]

    def note_submission(self, job_id: int, number: int, act: str, tx_hash: str) -> None:
        """Keep that a transaction found its way into a block."""
        self._database.execute(
            "INSERT INTO submissions VALUES (?, ?, ?, ?, ?)",
            (job_id, number, act, tx_hash, int(time.time())),
        )

    def decide_job(self, job_id: int, decision: str) -> None:
        """Keep what was decided: `joining`, `joined`, `left`, `refused: …`, or `over` and when."""
        with self._synced():
            self._database.execute("INSERT OR REPLACE INTO jobs VALUES (?, ?)", (job_id, decision))

    def decisions(self) -> dict[int, str]:
        """Return what was decided of each job."""
        return dict(self._database.execute("SELECT job_id, decision FROM jobs"))

    def held_jobs(self) -> list[int]:
        """Return the jobs that were joined and whose bytes were not given back yet."""
        words = (JOINING, JOINED, LEFT)
        return [job_id for job_id, word in self.decisions().items() if word in words]

    def forget_round(self, job_id: int, number: int) -> None:
        """Drop a settled round; the state of a worker's app stays."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            for table in ("updates", "verdicts", "scores"):
                self._database.execute(
                    f"DELETE FROM {table} WHERE job_id = ? AND round = ?", (job_id, number)
                )

    def forget_model(self, job_id: int, number: int) -> None:
        """Drop what is known of one round's model."""
        self._database.execute(
            "DELETE FROM models WHERE job_id = ? AND round = ?", (job_id, number)
        )

    def forget_job(self, job_id: int) -> None:
        """Drop all that is kept of an ended job but its submissions, challenges and decision."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            tables = ("updates", "states", "verdicts", "models", "scores", "measurements")
            for table in tables:
                self._database.execute(f"DELETE FROM {table} WHERE job_id = ?", (job_id,))

    @contextmanager
    def _synced(self) -> Iterator[None]:
        """Let what is written meanwhile, and all before it, be on the disk when it is committed."""
        self._database.execute("PRAGMA synchronous=FULL")
        try:
            yield
        finally:
            self._database.execute("PRAGMA synchronous=NORMAL")
