"""
Clicks and opened messages, where a newsletter has them counted.

Takes what asked for an address of ours; yields counts by link, and where the newsletter wants to know its readers, who
has clicked or opened an issue, once, with the time of the first. Promises that programs are counted apart from people,
that nothing is kept of who asked (no network address, no name of a program), and that nothing leads anywhere but to
where the issue leads.
"""
