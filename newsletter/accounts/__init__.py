"""
Who may act, and who did.

Takes names, passwords, codes and tokens, and what operators do; yields operators with their roles, sessions, and the
audit log. Promises that no row holds anything that somebody could sign in with, that lines of the log are added and
never changed, but for the words of a line about somebody who is erased, and that none of them holds an address.
"""
