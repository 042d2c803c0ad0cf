"""
Who may act, and who did.

Takes what an operator did about people or lists; yields the audit log; promises that its lines are added and never
changed, but for the words of a line about somebody who is erased, and that none of them holds an address.
"""
