from subscribers.segments import named_tags, parse


def test_tags_are_named_exactly_or_not_at_all():
    expression = parse('tag = "Press" and not tag in ("mayor", "guest") or tag like "vip%" or list = "members"')
    assert {tag.lower() for tag in named_tags(expression)} == {"press", "mayor", "guest"}
    assert named_tags(parse("all")) == frozenset()
