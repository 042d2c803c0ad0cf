"""
Compilation: from an edition to a finished, checked message.

Takes an `Edition` and a theme, yields an `Artifact`: subject, HTML, text and a MIME skeleton with slots, addressed by
its SHA-256. Promises that the same input gives the same bytes, that nothing runs per recipient but the splicing of slot
values, and that what the libraries of the chain break silently is found before the artifact exists.
"""
