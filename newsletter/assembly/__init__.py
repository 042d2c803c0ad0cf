"""
Assembly: from stored entries to an issue, and from an issue to its editions.

Takes published entries and an issue's plan, yields an issue with ordered items and a verdict in words for every
candidate, and one frozen `Edition` per language. Promises that everything is judged from the issue's own date and
period, never from today's, so that an old issue can be made again and comes out the same.
"""
