"""
Webhooks: what mail providers tell about our messages.

Takes requests as they come from the network, hostile until proven; yields what the pipeline absorbs. Promises that a
provider that is not set up has no address here, that nothing is read before its proof was checked, and that a request
that could not be absorbed is answered so that it comes again.
"""
