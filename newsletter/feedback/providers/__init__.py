"""
What mail providers say by webhook, in our words.

Takes the bytes of a request as they came; yields reports, or why the request is refused. Each provider is a module: how
it proves who it is, and a table from its words to ours. Promises that nothing is read as true before its proof was
checked in constant time, that what we have no word for is passed over, and that every report has an id which the same
happening always has again.
"""
