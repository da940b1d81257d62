"""Several replicas of the service behind web tiers: what a web tier relays, and to whom."""
