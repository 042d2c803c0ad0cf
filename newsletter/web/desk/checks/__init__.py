"""
Checks: an issue is looked at as its readers will see it, judged, reviewed and approved.

Takes requests about one issue; yields its preview, its checks, and the page that approves it. Promises that a preview
is the message itself, in a frame that runs nothing, and that nothing is approved which was not looked at.
"""
