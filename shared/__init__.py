"""What the web process and the worker have in common."""
