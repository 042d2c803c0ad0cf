"""
The public pages: for readers and whoever finds the archive, one module a group of routes.

Each module has a function `router(pipeline)`; `app` joins them.
"""
