"""What the chain and its participants must compute alike."""

from app.learning.combine import (
    CombineRule,
    check_combination,
    is_clipped,
    middle_cut,
    shares_of_identical,
)
from app.learning.commitment import UPDATE_COMMITMENT, commitment
from app.learning.draw import (
    AGGREGATOR_DRAW,
    EVALUATOR_DRAW,
    WORKER_DRAW,
    Candidate,
    draw,
)
from app.learning.fixed import FRACTION_BITS, MODEL_WIDTH, UPDATE_WIDTH, value_count
from app.learning.tree import (
    CHUNK_VALUES,
    SUM_LIMIT,
    ChunkProof,
    Root,
    build_tree,
    proof_of,
    root_of,
    verify_chunk,
)

__all__ = [
    "AGGREGATOR_DRAW",
    "CHUNK_VALUES",
    "EVALUATOR_DRAW",
    "FRACTION_BITS",
    "MODEL_WIDTH",
    "SUM_LIMIT",
    "UPDATE_COMMITMENT",
    "UPDATE_WIDTH",
    "WORKER_DRAW",
    "Candidate",
    "ChunkProof",
    "CombineRule",
    "Root",
    "build_tree",
    "check_combination",
    "commitment",
    "draw",
    "is_clipped",
    "middle_cut",
    "proof_of",
    "root_of",
    "shares_of_identical",
    "value_count",
    "verify_chunk",
]
