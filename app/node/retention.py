"""Which blocks the engine may forget: those that nobody can need any more.

The operator says how many blocks to keep at least. Kept beyond that is what evidence may still be
brought about, what light clients and who unbonds may still have to prove, the blocks since the
oldest snapshot, and those that may be taken back.
"""

from __future__ import annotations

from app.node.leveldb import SAMPLE_BLOCKS, LevelStore
from app.node.snapshots import Snapshots

EVIDENCE_AGE_S = 7 * 24 * 3600  # As long as unbonding takes.
EVIDENCE_AGE_BLOCKS = 7 * 24 * 3600 * 10
"""Evidence of a block is good until the block is older than both."""


def find_retain_height(store: LevelStore, snapshots: Snapshots | None, retain_blocks: int) -> int:
    """Return the first block that the engine must keep after this one, or 0: forget none now."""
    last = store.last
    if not retain_blocks or last.height % SAMPLE_BLOCKS:
        return 0
    aged = store.find_height_at(last.time_ms - EVIDENCE_AGE_S * 1000)
    blocks_kept = max(retain_blocks, EVIDENCE_AGE_BLOCKS, store.undo_max)
    snapshot_heights = snapshots.heights() if snapshots is not None else []
    return max(0, min(last.height - blocks_kept, aged, *snapshot_heights))
