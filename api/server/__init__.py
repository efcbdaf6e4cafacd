"""The Gunicorn worker that keeps slow clients away from threads, and its log.

Imports `middleware`. It knows neither Flask nor the database.
"""
