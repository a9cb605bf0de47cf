"""From a trainer's arrays to the bytes that the chain is about, and back: no float goes further."""
