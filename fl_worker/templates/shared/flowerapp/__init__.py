"""A Flower app that learns to tell images apart."""
