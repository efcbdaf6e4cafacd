"""Where uploaded files lie between the web process and the worker."""
