"""The pages for people, under /admin/: the same functions as the API, for eyes and hands."""
