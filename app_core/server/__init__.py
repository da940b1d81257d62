"""The front door: connections, heads, bodies and finished answers, outside of the threads."""
