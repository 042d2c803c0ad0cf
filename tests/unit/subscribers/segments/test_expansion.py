import pytest

from subscribers.errors import SegmentCycle, SegmentSyntaxError, UnknownSegment
from subscribers.segments import Everybody, Not, Or, expand, parse


def known(**segments):
    def resolve(name):
        if name not in segments:
            raise UnknownSegment(name, segments)
        return parse(segments[name])

    return resolve


def test_a_saved_segment_is_put_where_it_is_named():
    resolve = known(press='tag = "press"', french='language = "fr" or segment = "belgian"', belgian='country = "BE"')
    assert expand(parse('segment = "press"'), resolve) == parse('tag = "press"')
    assert expand(parse('a = 1 and segment = "french"'), resolve) == parse(
        'a = 1 and (language = "fr" or country = "BE")'
    )
    assert expand(parse('segment != "press"'), resolve) == Not(parse('tag = "press"'))
    assert expand(parse('segment in ("press", "belgian")'), resolve) == Or(
        (parse('tag = "press"'), parse('country = "BE"'))
    )
    assert expand(parse('not (segment = "press" or all)'), resolve) == parse('not (tag = "press" or all)')


def test_the_same_segment_may_be_named_twice():
    assert expand(parse('segment = "a" or segment = "a"'), known(a="all")) == Or((Everybody(), Everybody()))


def test_segments_in_a_circle_are_refused():
    resolve = known(a='segment = "b"', b='x = 1 or segment = "a"')
    with pytest.raises(SegmentCycle) as error:
        expand(parse('segment = "a"'), resolve)
    assert error.value.names == ("a", "b", "a")


def test_an_unknown_segment_is_told_with_the_nearest():
    with pytest.raises(UnknownSegment) as error:
        expand(parse('segment = "pres"'), known(press="all"))
    assert error.value.hint == "press"


def test_without_saved_segments_none_can_be_named():
    with pytest.raises(SegmentSyntaxError, match="cannot be named here"):
        expand(parse('a = 1 and segment = "x"'))


def test_segments_that_double_at_every_step_are_stopped():
    chain = {f"s{n}": f'segment = "s{n + 1}" or segment = "s{n + 1}"' for n in range(40)} | {"s40": "all"}
    with pytest.raises(SegmentSyntaxError, match="more than 1000 conditions"):
        expand(parse('segment = "s0"'), known(**chain))


def test_segments_that_nest_too_deep_together_are_stopped():
    chain = {f"s{n}": f'not (x = 1 or segment = "s{n + 1}")' for n in range(40)} | {"s40": "all"}
    with pytest.raises(SegmentSyntaxError, match="60 levels"):
        expand(parse('segment = "s0"'), known(**chain))
