"""
The command line: parses, calls the pipeline, reports.

Takes what an administrator types, yields words or JSON on standard output, one helpful line on standard error where
something is wrong, and an exit code that says what happened. Promises that no rule lives here.
"""
