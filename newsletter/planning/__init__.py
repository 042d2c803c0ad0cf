"""
Planning: from an approved issue and a segment to one delivery per person.

Takes the artifacts that were approved, a segment, consent and suppression as they stand when the run starts, yields a
run whose audience is frozen. Promises one delivery per mailing and address, one language per person, chosen once, and
that planning twice adds nobody twice.
"""
