"""
The API under `/api/v1`: the verbs of the pipeline as JSON, for programs of operators.

Takes a bearer token and JSON; yields JSON that its OpenAPI document describes, or a problem (RFC 9457). Promises that
a token may do no more than its scopes and its operator's role say, that a request repeated with the same
`Idempotency-Key` is done once, and that a list ends on every page where the next begins.
"""
