"""
The pages about sending: schedule an issue, watch its run, read its report.

Takes requests of operators; yields pages. What is counted and decided stands in the verbs (`Pipeline.scheduling`,
`.watching`, `.reporting`, `.control`); here is only how it is said.
"""
