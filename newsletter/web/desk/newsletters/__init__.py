"""
Newsletters at the desk: the list of them, a new one, and the settings of each, part by part.

Takes what administrators fill in; yields pages, and changes by `pipeline.founding`. Promises that what cannot be taken
is said beside its field, with everything else that was entered still there.
"""
