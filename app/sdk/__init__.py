"""How anything outside talks to the chain."""
