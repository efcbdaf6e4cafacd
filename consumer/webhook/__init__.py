"""Webhook calls: signing, checking of addresses, delivery by HTTP.

Imports `consumer.outbox` and `consumer.lasting_thread`. It knows no broker.
"""
