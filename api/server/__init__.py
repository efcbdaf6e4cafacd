"""The Gunicorn worker that keeps slow clients away from threads, and its log.

May import `rest` and `middleware`, but neither Flask nor the database.
"""
