"""Report mails: composing, layout, delivery by SMTP.

Imports `consumer.outbox` and `consumer.lasting_thread`. It knows no broker.
"""
