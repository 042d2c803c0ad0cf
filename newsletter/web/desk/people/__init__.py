"""
People at the desk: a table to look for them, a page about each, a form that adds one.

Takes requests of operators; yields pages and files. Promises that an address stands in no address of a page, and that
viewers see addresses masked and cannot search by them.
"""
