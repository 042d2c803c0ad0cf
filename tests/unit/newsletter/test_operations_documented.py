"""The pages for operations name what there is: events, commands, sections, settings and figures."""

import re

import pytest
from documented import commands_in, fault_of
from logged import ROOT, events

DOCS = ROOT / "docs"
ROW = re.compile(r"^\| `([^`]+)` \| (debug|info|warning|error)(?:, \w+)* \| .+ \|$", re.MULTILINE)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([\w.-]+\.md)(?:#([\w-]+))?\)")
PAGES = ("operations.md", "runbook.md", "upgrade.md", "doctor.md")


def anchors(page):
    """The sections of a page, as links name them."""
    return {re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-") for words in HEADING.findall(page)}


def test_the_page_names_each_event_with_its_level_and_none_besides():
    page = {event: {level} for event, level in ROW.findall((DOCS / "operations.md").read_text())}
    assert page == events()


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_a_page_exists_with_its_options(name):
    commands = list(commands_in(ROW.sub("", (DOCS / name).read_text())))  # some events begin like a command
    assert commands
    assert [fault for words in commands if (fault := fault_of(words))] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_somewhere(name):
    for target, section in LINK.findall((DOCS / name).read_text()):
        assert (DOCS / target).is_file(), target
        if section:
            assert section in anchors((DOCS / target).read_text()), f"{target}#{section}"


def test_a_command_that_is_not_there_would_be_found():
    assert "no command" in fault_of(["issue", "vanish", "2026-12"])
    assert "--nothing" in fault_of(["issue", "status", "2026-12", "--nothing"])
    assert fault_of(["doctor", "--outside"]) == ""


def test_the_runbook_says_of_each_symptom_what_to_do():
    page = (DOCS / "runbook.md").read_text()
    sections = dict(zip(HEADING.findall(page), HEADING.split(page)[2::2], strict=True))
    assert len(sections) >= 20
    assert [name for name, words in sections.items() if "- **Do**:" not in words] == []
