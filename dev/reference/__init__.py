"""The generator of docs/reference/, which makes the pages from the code."""
