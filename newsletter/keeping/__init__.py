"""
Keeping: every row of a database in a form that any other database takes, and the keys that belong to them.

Takes a database, or a file that was made of one; yields its rows in portable lines, and writes such lines into an empty
database of either kind. Promises that what was written is counted and weighed on both sides, that a database from which
is read is not changed, and that one into which is written holds everything in the end, or nothing.
"""
