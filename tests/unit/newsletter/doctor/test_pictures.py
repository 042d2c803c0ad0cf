import pytest

from newsletter.assembly.facts import IssueState
from newsletter.assembly.overview import Pictured
from newsletter.doctor.pictures import check_pictures


def shown(*names, issue="2026-12", state=IssueState.SENT):
    return [Pictured(name, issue, state) for name in names]


@pytest.mark.parametrize(
    ("pictures", "words"),
    [([], "no issue shows one"), (shown("a.png", "b.png", "b.png"), "all that issues show are stored: 2")],
)
def test_pictures_that_are_stored_are_fine(pictures, words):
    check = check_pictures(pictures, ["a.png", "b.png", "c.png"])
    assert (check.status, check.words) == ("ok", words)


@pytest.mark.parametrize("state", sorted(set(IssueState) - {IssueState.DRAFT, IssueState.CANCELLED}))
def test_one_that_is_missing_is_an_error_once_its_issue_is_approved_and_before_a_warning(state):
    assert check_pictures(shown("a.png", state=IssueState.DRAFT), []).status == "warning"
    check = check_pictures(shown("a.png", state=IssueState.DRAFT) + shown("a.png", issue="2027-01", state=state), [])
    assert (check.status, check.words) == ("error", "not stored, shown in 2026-12, 2027-01: a.png")
    assert check.advice.startswith("Import the entries again")


def test_of_many_that_are_missing_a_few_are_named():
    check = check_pictures(shown(*"fedcba"), ["b"])
    assert check.words == "not stored, shown in 2026-12: a, c, d and 2 more"
