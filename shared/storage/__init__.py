"""Where uploaded files are kept: a folder, the database or a bucket.

Imports the database only. One interface, chosen by the setting UPLOAD_STORE.
"""
