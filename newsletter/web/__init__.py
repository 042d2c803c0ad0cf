"""
The web: what subscribers, the public and mail providers reach over HTTP.

Takes a `Pipeline` and requests, yields pages, files and answers; calls verbs, never stores. Promises that GET and HEAD
change nothing, that no public page sets a cookie or needs a script, and that neither a token nor an address is logged.
"""
