"""A campaign against the running service: real processes, really killed, and an exact reckoning."""
