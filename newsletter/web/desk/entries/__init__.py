"""
Entries at the desk: their table, the editor with languages side by side, what changed, and the way back.

Takes requests of operators; yields pages, and answers to the script `desk-entries.js`. Everything that is stored is
stored by the verbs of `Pipeline.writing`. Sittings, pictures and the live block are parts of the same form: see
`parts`.
"""
