"""
The pages on which an issue is made: the list of issues, a new one, its contents, its words, its dates.

Takes the verbs of `Pipeline.building`; yields pages, and parts of them for a script. Promises that everything but
dragging and saving by itself works without a script, and that a change which somebody else has overtaken is told and
not made.
"""
