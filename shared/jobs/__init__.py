"""A job is one uploaded file and what becomes of it."""
