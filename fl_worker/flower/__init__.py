"""Flower apps: bundle them, record what a ServerApp sends, run a ClientApp apart from us."""
