"""Sessions over HTTP: what begins, asks and ends them, what they are told, and their sockets."""
