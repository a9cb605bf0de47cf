"""What participants do beside the chain: decide (pure), act (with retries), and remember.

agent       the loop: follow every job, decide, act, try again; `Role` is what differs
decide      what is owed now, from the chain's state and what is remembered
worker      trains, commits, pushes and reveals
updates     a round's base and updates, held against their roots
scorer      an evaluator's scores: open slices, measure, commit, reveal
requester   grants the drawn slices
reader      aggregators and evaluators: collect, check, vote, combine, post, attest, serve
standing    whose apps a worker runs unasked
peers       bytes from and to the readers' endpoints
journal     on disk before it is submitted
"""
