"""Who may send a request, and how often: tokens, sessions, rate limits.

Imports `rest` and `shared.access`. Every view passes through `auth`.
"""
