"""
Tasks: what Procrastinate hands out among the workers of a PostgreSQL database.

Takes the verbs that a worker has been given, yields jobs that are done. Promises that the ledger stays the truth: a job
is a hint that something is to be done, safe to lose and safe to run twice. Each file of tasks makes a blueprint of
verbs (`shards`, …), `worker` runs them all, `app` has what those who hand out jobs need.
"""
