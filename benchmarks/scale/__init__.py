"""How far the service goes on many machines: simulated from what it costs, and checked."""
