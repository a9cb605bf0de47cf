"""What runs inside an app's process: Flower, numpy and its own siblings, nothing else of ours."""
