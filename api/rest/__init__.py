"""What all REST resources share: blueprint, schemas, errors, paging, the OpenAPI document.

May import `middleware`, `services` and `shared`. It knows no resource.
"""
