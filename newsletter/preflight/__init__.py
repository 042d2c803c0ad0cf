"""
Preflight: the checks on an issue and its compiled editions.

Takes the facts of an issue, its editions with their artifacts and, where a segment is named, counts of its audience;
yields findings with a code and a severity, and waivers. Promises to be a pure function of its input, without clock or
network, that every finding names its place and what to do, and that an error always stands in the way of approval, a
warning until it is fixed or waived with a reason. Three modules reach beyond their input, each only where it is asked
to: `baseline` compiles a specimen of a theme, `caniemail` reads a file, and `outside`, with `reach` and
`deliverability`, asks the network and a spam filter.
"""
