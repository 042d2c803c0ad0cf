"""
The pipeline: the only statement of the order of the stages, and the only place that opens transactions.

    content ─► assembly ─► compilation ─► preflight ─► planning ─► dispatch

`editorial` holds the verbs up to the approval, `sending` those after it, `people` those about subscribers that touch
what is being sent. Each verb is one transaction that is committed whole or not at all, unless it says otherwise; each
can be rerun without harm. The command line, the web and the scheduler call these verbs and nothing below.
"""
