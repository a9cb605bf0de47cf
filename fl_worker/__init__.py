"""What participants run beside the chain."""
