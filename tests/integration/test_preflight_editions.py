import datetime as dt
import time
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.assembly.composition import build_edition
from newsletter.assembly.facts import IssueFacts, IssueState
from newsletter.assembly.selection import select
from newsletter.cli.pictures import draw_pictures
from newsletter.compilation.compiler import compile_edition
from newsletter.content.entry import StoredEntry
from newsletter.content.intake import read_pack
from newsletter.links import Links
from newsletter.preflight.baseline import theme_baseline
from newsletter.preflight.compiled import CompiledEdition
from newsletter.preflight.report import PreflightInput, Verdict, run
from newsletter.words import catalogue

SAMPLE = Path(__file__).parents[2] / "newsletter" / "sample" / "pack.yaml"
RIVERS = Path(__file__).parent / "river-cities.yaml"
LINKS = Links("http://localhost:8000")

PACK = """
newsletter:
  slug: harbours
  name: {en: Harbour News, fr: Nouvelles des ports, es: Noticias de los puertos}
  languages: [en, fr, es]
  locales: {en: en-GB}
  timezone: Europe/Brussels
  sender: {name: Harbours, address: news@harbours.example}
  list_id: news.harbours.example
  website: https://www.harbours.example/
  fallback: show
  footer:
    address: Harbours, 1 Quay, 9000 Ghent
    social: [{network: mastodon, url: "https://social.example/@harbours"}]
    logos: [{url: "https://www.harbours.example/fund.png", alt: {en: Funded by the Harbour Fund}}]
  sections:
    - {key: lead, title: null}
    - {key: projects, title: {en: Projects, fr: Projets, es: Proyectos}, columns: 2}
    - {key: agenda, title: {en: Agenda, fr: Agenda, es: Agenda}, show: lines}
topics:
  - {key: cranes, name: Cranes, credit: {en: "Co-funded by the Harbour Fund.", fr: "Cofinancé : Fonds des ports."}}
entries:
  - key: conference
    kind: agenda
    section: lead
    published: 2026-11-03
    image: {url: "https://www.harbours.example/ghent.jpg", alt: {en: The docks at dusk, fr: Les quais le soir}}
    place: {city: Ghent, country: BE, online: "https://meet.harbours.example/ghent"}
    sittings:
      - {key: first, start: 2026-12-10T10:00, end: 2026-12-10T11:00, languages: [en], title: {en: Who closes the quay?}}
      - {key: second, start: 2026-12-11T10:00, status: cancelled, languages: [fr]}
      - {key: third, date: 2026-12-14, status: moved, links: [{action: register, url: "https://www.harbours.example/3"}]}
    texts:
      en:
        title: Three days at the docks
        body: |
          Begins on **Thursday 10 December 2026**. Read [the whole programme](https://www.harbours.example/p).

          > Who pays when the water comes at night?
        links: [{action: register, url: "https://www.harbours.example/en/register"}]
      fr:
        title: « Trois jours » sur les quais
        body: À partir du jeudi 10 décembre 2026 ; qui ferme le quai ?
        links: [{action: register, url: "https://www.harbours.example/fr/register"}]
  - key: cranes
    kind: news
    section: projects
    topic: cranes
    published: 2026-11-10
    texts:
      en: {title: Nine cranes, body: They turn again., links: [{label: All nine, url: "https://www.harbours.example/c"}]}
      fr: {title: Neuf grues, body: Elles tournent., links: [{label: Les neuf, url: "https://www.harbours.example/c"}]}
issues:
  - slug: 2026-12
    date: 2026-12-01
    period: {from: 2026-11-01, to: 2026-11-30}
    texts:
      en: {title: December, subject: "[[first_name|Dear reader]], nine cranes", preheader: They turn., intro: Hello.}
      fr: {title: Décembre, subject: "[[first_name|Chers lecteurs]], neuf grues", preheader: Ça tourne., intro: Bonjour.}
      es: {title: Diciembre, subject: "[[first_name|Estimados]], nueve grúas", preheader: Giran., intro: Buenos días.}
"""


def compiled_from(file):
    """The first issue of a content pack with all its editions, as preflight is given them."""
    pack = read_pack(file)
    (plan, *_) = pack.issues
    settings = plan.settings(pack.newsletter)
    changed = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    facts = IssueFacts(
        id=1,
        newsletter_id=1,
        state=IssueState.DRAFT,
        revision=1,
        plan=plan,
        settings=settings,
        topics=pack.topics,
        items=select(pack.entries, plan=plan, settings=settings, published={}).items,
        entries={
            entry.key: StoredEntry(id=1, entry=entry, stale=frozenset(), sequences={}, changed=changed)
            for entry in pack.entries
        },
        pictures={picture.name: (picture.width, picture.height) for picture in pack.pictures},
    )
    editions = [
        build_edition(facts, language=language, links=LINKS, catalogue=catalogue(language))
        for language in settings.languages
    ]
    made = tuple(CompiledEdition(edition=each, artifact=compile_edition(each, links=LINKS)) for each in editions)
    return PreflightInput(
        issue=facts,
        editions=made,
        baseline=theme_baseline(editions, links=LINKS),
        picture_sizes={picture.name: len(picture.data) for picture in pack.pictures},
    )


@pytest.fixture(scope="module")
def harbours(tmp_path_factory):
    file = tmp_path_factory.mktemp("pack") / "harbours.yaml"
    file.write_text(PACK, encoding="utf-8")
    return compiled_from(file)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    (folder / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    draw_pictures(folder / "images")
    return compiled_from(folder / SAMPLE.name)


@pytest.fixture(scope="module")
def rivers():
    return compiled_from(RIVERS)


def test_an_issue_that_lacks_spanish_texts_has_notices_only(harbours):
    report = run(harbours)
    assert [(finding.severity.value, finding.edition, finding.code) for finding in report.findings] == [
        ("notice", "es", "fallback-shown")
    ]
    assert report.findings[0].message() == (
        "The Spanish edition shows 2 entries in another language: “Three days at the docks”, “Nine cranes”."
    )
    assert report.verdict() is Verdict.CLEAR


def test_a_complete_issue_has_no_findings_at_all(harbours):
    complete = harbours.editions[:2]
    assert run(replace(harbours, editions=complete)).findings == ()


def test_an_issue_checked_again_has_the_same_report(harbours):
    assert run(harbours) == run(harbours)


@pytest.mark.parametrize("name", ["sample", "rivers"])
def test_nothing_in_the_bundled_samples_has_to_be_decided(name, request):
    report = run(request.getfixturevalue(name))
    assert [(finding.edition, finding.place, finding.message()) for finding in report.standing()] == []
    assert {finding.code for finding in report.findings} == {"fallback-shown"}


@pytest.mark.unwatched  # what is measured is the program, not its being watched
def test_five_large_editions_are_checked_in_less_than_two_seconds(sample):
    fresh = tuple(CompiledEdition(edition=each.edition, artifact=each.artifact) for each in sample.editions)
    start = time.process_time()
    theme_baseline([each.edition for each in fresh], links=LINKS)
    run(replace(sample, editions=fresh))
    assert time.process_time() - start < 2
