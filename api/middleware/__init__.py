"""What happens to every request before and after its view: proxies, forms, headers, logs, metrics.

Imports `config` and `shared` only. It knows no resource.
"""
