"""
The doctor: what is configured, and what is wrong with it.

Takes settings and the means to look around; yields checks, each with a status and what to do. Promises to change
nothing, to send nothing, and to end: whatever does not answer is given up after seconds.
"""
