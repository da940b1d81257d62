"""Sessions and the peers that look at them, for routes and Python callers."""
