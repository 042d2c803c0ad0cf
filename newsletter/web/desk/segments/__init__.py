"""
Segments at the desk: a table of those that are saved, and an editor that shows one as conditions and as text.

Takes requests of operators; yields pages and parts of pages. Promises that both views say the same: each is made from
the other by the grammar itself.
"""
