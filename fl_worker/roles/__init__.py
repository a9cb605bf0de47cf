"""What participants do beside the chain: decide (pure), act (with retries), and remember."""
