"""Webhook calls: signatures, checks of IP addresses, delivery by HTTP.

Imports `consumer.outbox` and `consumer.lasting_thread`. It knows no broker.
"""
