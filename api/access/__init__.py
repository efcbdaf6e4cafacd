"""Authentication and rate limits: who may send a request, and how often.

May import `rest` and the packages below it. Every request passes through `auth.authenticate`.
"""
