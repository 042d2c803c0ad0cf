"""
Feedback: what comes back after a message has been sent.

Takes what relays, mailboxes, providers and readers say about a delivery; yields events. Promises that nothing changes
for a subscriber unless the event proves that it speaks of a message of ours, that the same event told twice counts
once, that no event holds an address, and that everything received is read as hostile.
"""
