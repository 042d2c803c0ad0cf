"""A segment is a small language of its own: its mistakes are pointed at, and it cannot reach another table."""

ESCAPES = (
    'list = "readers"; DROP TABLE subscriber',
    'list = "readers\') OR 1=1 --"',
    'entry.title = "x"',
    '(SELECT password FROM operator) = "x"',
    'digest = "x"',
    'delivery.state = "accepted"',
    "language in (SELECT tag FROM subscriber)",
)


def test_a_syntax_error_points_at_its_column(approved):
    refused = approved.run("segments", "create", "wrong", 'list = "readers" and langage in ("fr"', code=2)
    first, shown, pointer = refused.problem.splitlines()
    assert "column" in first
    assert shown.strip() == 'list = "readers" and langage in ("fr"'
    assert pointer.strip() == "^"
    assert f"column {pointer.index('^') - (len(shown) - len(shown.lstrip())) + 1}" in first
    assert approved.quickly("segments", "show", "wrong", code=2).out == ""


def test_a_segment_cannot_reach_another_table(approved):
    people = approved.rows("SELECT count(*) FROM subscriber")
    reached = {}
    for number, expression in enumerate(ESCAPES):
        made = approved.quickly("segments", "create", f"escape{number}", expression, code=None)
        counted = approved.quickly("segments", "count", f"escape{number}", "--json", code=None)
        reached[expression] = counted.json["count"] if made.code == 0 else 0
    assert reached == dict.fromkeys(ESCAPES, 0)
    assert approved.rows("SELECT count(*) FROM subscriber") == people == [(60,)]
