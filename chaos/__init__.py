"""The chaos campaign: it kills real processes of a running service and checks every result."""
