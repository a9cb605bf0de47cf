"""A seeded chain with many actors, faults and an auditor who has an opinion of its own."""
