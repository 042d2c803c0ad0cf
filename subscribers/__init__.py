"""
The people who receive newsletters: who they are, what they agreed to, and who must never be written to.

Takes addresses, list subscriptions and CSV files; yields audiences as queries; promises that nobody is written to
who left or is suppressed, and that no decision here knows which newsletter asks: it gets opaque keys.
"""
