"""What updates are worth: a validation set in slices, and an app that measures models on them."""
