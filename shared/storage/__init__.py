"""The upload store: a folder, the database or a bucket, chosen by the setting UPLOAD_STORE.

All have one interface. Imports database and what is below it.
"""
