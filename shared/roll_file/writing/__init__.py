"""Writes files: rejected rows, exports of the roll, and the template.

Imports `rows` and what is below it. Every cell goes through `disarming`.
"""
