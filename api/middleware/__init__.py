"""What happens to each request before and after its view: proxies, forms, headers, logs, metrics.

May import `config` and `shared` only. It knows no resource.
"""
