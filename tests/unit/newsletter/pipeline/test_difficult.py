from pathlib import Path

import pytest

from newsletter.assembly.composition import build_edition
from newsletter.content.entry import Kind, SittingStatus
from newsletter.content.newsletter import Show
from newsletter.links import Links
from newsletter.pipeline.difficult import Case, difficult_issues
from newsletter.words import catalogue, languages

LINKS = Links("https://news.example")


@pytest.fixture(scope="module")
def issues():
    return difficult_issues("some-theme")


def edition_of(issue, language="en"):
    return build_edition(issue, language=language, links=LINKS, catalogue=catalogue(language))


def test_there_is_one_issue_for_each_case_in_every_language_that_has_words(issues):
    assert tuple(issues) == tuple(Case)
    for issue in issues.values():
        assert issue.settings.theme.name == "some-theme"
        assert set(issue.settings.languages) == set(languages())


def test_the_same_theme_gives_the_same_issues(issues):
    assert difficult_issues("some-theme") == issues


def test_everything_holds_every_kind_of_entry_and_every_status(issues):
    edition = edition_of(issues[Case.EVERYTHING])
    blocks = [block for section in edition.sections for block in section.blocks]
    assert {block.kind for block in blocks} == set(Kind)
    assert {sitting.status for block in blocks for sitting in block.sittings} == set(SittingStatus)
    assert {section.show for section in edition.sections} == set(Show)
    assert {section.columns for section in edition.sections} == {1, 2}
    assert edition.footer.credits
    assert edition.fallbacks == ()


def test_a_bare_issue_has_nothing_that_a_theme_could_lean_on(issues):
    edition = edition_of(issues[Case.BARE])
    assert [section.show for section in edition.sections] == [Show.LINES]
    assert (edition.number, edition.logo, edition.website, edition.intro.text) == (None, None, None, "")
    assert edition.footer.text is edition.footer.address is None


def test_forty_items_are_forty_entries(issues):
    issue = issues[Case.FORTY_ITEMS]
    assert len(issue.entries) == len({item.key for item in issue.items}) == 40


def test_some_pictures_fit_no_column(issues):
    edition = edition_of(issues[Case.LOST_PICTURES])
    widths = {block.picture.width for section in edition.sections for block in section.blocks if block.picture}
    assert widths == {None, 24, 300, 2400}


@pytest.mark.parametrize("language", languages())
def test_other_languages_are_foreign_and_some_run_the_other_way(issues, language):
    edition = edition_of(issues[Case.OTHER_LANGUAGES], language)
    blocks = [block for section in edition.sections for block in section.blocks]
    assert len(edition.fallbacks) >= 2
    assert any(block.dir and block.dir != edition.dir for block in blocks)


def test_the_documentation_names_every_case():
    page = Path(__file__).parents[4].joinpath("docs", "themes.md").read_text(encoding="utf-8")
    assert [case for case in Case if f"| `{case}` |" not in page] == []
