"""
The desk: where officers write, see, check and send.

Takes a `Pipeline`; yields the routes under `/desk`. Promises that every page is for somebody who has signed in and
whose role allows it, that nothing changes without a POST of our own pages, and that pages call the verbs of the
pipeline only.
"""
