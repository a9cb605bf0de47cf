"""The mathematics that the chain and the participants share: pure, in integers, all alike."""
