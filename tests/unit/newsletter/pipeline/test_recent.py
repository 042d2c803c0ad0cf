"""What takes long to count is counted once in a while."""

import threading

import pytest

from newsletter.pipeline.recent import MOST, Recent


def test_an_answer_is_kept_for_its_time_and_no_longer():
    clock, found = [0.0], iter(range(9))
    recent = Recent(10, clock=lambda: clock[0])
    assert [recent.get("a", lambda: next(found)) for _ in range(2)] == [0, 0]
    clock[0] = 10.0
    assert recent.get("a", lambda: next(found)) == 1


def test_keys_do_not_share_answers():
    recent = Recent(10)
    assert (recent.get("a", lambda: 1), recent.get("b", lambda: 2)) == (1, 2)


def test_what_failed_is_tried_again():
    recent = Recent(10)
    with pytest.raises(ZeroDivisionError):
        recent.get("a", lambda: 1 // 0)
    assert recent.get("a", lambda: 7) == 7


def test_the_same_is_never_counted_twice_at_once():
    recent, begun, go_on, asked = Recent(10), threading.Event(), threading.Event(), []

    def find():
        asked.append(1)
        begun.set()
        go_on.wait(10)
        return "found"

    answers = []
    threads = [threading.Thread(target=lambda: answers.append(recent.get("a", find))) for _ in range(3)]
    threads[0].start()
    begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert (answers, asked) == (["found"] * 3, [1])


def test_who_asks_while_it_is_found_anew_gets_the_old_answer():
    clock = [0.0]
    recent = Recent(10, clock=lambda: clock[0])
    recent.get("a", lambda: "old")
    clock[0] = 10.0
    meanwhile = []

    def find():
        meanwhile.append(recent.get("a", lambda: "never asked"))
        return "new"

    assert recent.get("a", find) == "new"
    assert meanwhile == ["old"]


def test_old_answers_go_when_there_are_too_many():
    recent = Recent(10)
    for key in range(MOST + 1):
        recent.get(key, lambda: "first")
    assert recent.get(0, lambda: "anew") == "anew"
    assert recent.get(MOST, lambda: "anew") == "first"
