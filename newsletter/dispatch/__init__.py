"""
Dispatch: from planned deliveries to outcomes.

Takes deliveries of running runs, yields one outcome per attempt and an ended delivery per person. Promises that no
content goes out before its mark is committed and none after it before its result is, so that after `kill -9` nobody is
lost and at most one message per open connection is in doubt, named `uncertain`; that an accepted delivery is never
opened again; and that what is wrong with the sender or the relay is never held against a subscriber.
"""
