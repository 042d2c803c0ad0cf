import datetime as dt

import pytest
from unit.newsletter.assembly.builders import an_entry

from newsletter.assembly.facts import IssueRef, stands_in

DATE = dt.date(2026, 11, 1)


@pytest.mark.parametrize(
    ("number", "words"), [(41, "issue 2026-11 (no. 41)"), (0, "issue 2026-11 (no. 0)"), (None, "issue 2026-11")]
)
def test_an_issue_is_named_by_slug_and_number(number, words):
    assert str(IssueRef(slug="2026-11", number=number, date=DATE)) == words


@pytest.mark.parametrize(
    ("languages", "edition", "stands"),
    [
        ([], "es", True),
        (["fr"], "fr", True),
        (["fr"], "fr-BE", True),
        (["fr-BE"], "fr", False),
        (["fr"], "en", False),
        (["es", "fr"], "fr", True),
    ],
)
def test_an_entry_stands_in_the_editions_it_is_for_and_in_their_regions(languages, edition, stands):
    assert stands_in(an_entry(languages=languages), edition) is stands
