"""What all REST resources share: blueprint, schemas, errors, paging, the OpenAPI document.

Imports `middleware` and `services`. It knows no resource.
"""
