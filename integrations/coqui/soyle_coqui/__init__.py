"""A small speech server for Coqui's voices, in an environment of its own."""
