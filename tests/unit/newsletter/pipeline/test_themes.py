import pytest

from newsletter.errors import InvalidInput
from newsletter.links import Links
from newsletter.pipeline.difficult import Case
from newsletter.pipeline.themes import CaseReport, ThemeReport, Trial, check_theme, gathered
from newsletter.preflight.finding import Rule, Severity

LINKS = Links("https://news.example")
LANGUAGES = ["en", "fr", "es", "de", "el", "ar"]


def a_rule(code="too-loud", severity=Severity.WARNING):
    return Rule(code=code, severity=severity, message="The {edition} edition is too loud.", hint="Turn it down.")


def a_case(case=Case.BARE, *findings, **trial):
    return CaseReport(case=case, trials=(Trial(language="en", **(trial or {"size": 1000})),), findings=findings)


@pytest.fixture
def make_theme(tmp_path):
    """A theme in a folder of its own, based on one of the program's; `parts` are its templates by name."""

    def made(name="mine", base="network", **parts):
        folder = tmp_path / name
        (folder / "parts").mkdir(parents=True)
        (folder / "manifest.toml").write_text(f'title = "Mine"\nbase = "{base}"\n', encoding="utf-8")
        for part, source in parts.items():
            (folder / "parts" / f"{part}.mjml.j2").write_text(source, encoding="utf-8")
        return folder

    return made


def test_every_case_asked_for_is_tried_in_every_language_and_progress_is_told(make_theme):
    told = []
    cases = (Case.ONE_ITEM, Case.BARE)
    report = check_theme(make_theme(), LINKS, cases=cases, progress=lambda *done: told.append(done))
    assert report.sound, [(finding.message(), places) for finding, places in gathered(report)]
    assert tuple(case.case for case in report.cases) == cases
    assert all([trial.language for trial in case.trials] == LANGUAGES for case in report.cases)
    assert all(trial.size > 5_000 for case in report.cases for trial in case.trials)
    assert told == [(done, 12) for done in range(1, 13)]


def test_a_fault_in_a_template_is_told_with_file_and_line(make_theme):
    report = check_theme(make_theme(footer="\n\n{{ nobody }}"), LINKS)
    assert not report.sound
    assert report.faults == ("mine/parts/footer.mjml.j2:3: UndefinedError: 'nobody' is undefined",)
    assert {trial.fault for case in report.cases for trial in case.trials} == set(report.faults)


def test_a_theme_that_shows_no_way_out_is_not_sound(make_theme):
    folder = make_theme(footer="<mj-section><mj-column><mj-text>Bye</mj-text></mj-column></mj-section>")
    report = check_theme(folder, LINKS, cases=[Case.BARE])
    found = {finding.code: places for finding, places in gathered(report)}
    assert not report.sound
    assert report.faults == ()
    assert set(found["unsubscribe-missing"]) == {Case.BARE}
    assert sorted(found["unsubscribe-missing"][Case.BARE]) == sorted(LANGUAGES)


@pytest.mark.parametrize(
    ("manifest", "fault"),
    [
        ("title = ", "mine/manifest.toml: "),
        ('title = "Mine"', "mine/manifest.toml: accent: Field required"),
        ('title = "Mine"\nbase = "nothing"', "mine/manifest.toml: base: there is no theme 'nothing'"),
    ],
)
def test_a_manifest_that_cannot_be_taken_is_the_only_fault(make_theme, manifest, fault):
    folder = make_theme()
    (folder / "manifest.toml").write_text(manifest)
    report = check_theme(folder, LINKS)
    assert report.fault is not None
    assert report.fault.startswith(fault)
    assert report.cases == ()
    assert not report.sound


def test_a_template_that_cannot_be_read_is_a_fault_even_where_nothing_uses_it(make_theme):
    report = check_theme(make_theme(unused="{% if %}"), LINKS)
    assert report.fault is not None
    assert report.fault.startswith("mine/parts/unused.mjml.j2:1: ")


def test_what_is_no_theme_is_refused(tmp_path, make_theme):
    with pytest.raises(InvalidInput, match=r"is no theme: it has no manifest.toml"):
        check_theme(tmp_path, LINKS)
    with pytest.raises(
        InvalidInput, match=r"the folder's name is the theme's name, in small letters .* not 'My Theme'"
    ):
        check_theme(make_theme("My Theme"), LINKS)


def test_the_report_is_plain_data():
    finding = a_rule().found(edition="en")
    report = ThemeReport(name="mine", title="Mine", unknown=("Hurry",), cases=(a_case(Case.BARE, finding),))
    plain = report.to_json()
    assert (plain["theme"], plain["sound"], plain["unknown_words"]) == ("mine", True, ["Hurry"])
    (case,) = plain["cases"]
    assert (case["case"], case["editions"]) == ("bare", [{"language": "en", "size": 1000, "fault": None}])
    assert case["findings"][0]["code"] == "too-loud"
    faulty = ThemeReport(name="mine", cases=(a_case(fault="no"),)).to_json()
    assert faulty["cases"][0]["editions"] == [{"language": "en", "size": None, "fault": "no"}]


def test_equal_findings_are_gathered_and_the_gravest_comes_first():
    mild, grave = a_rule("mild"), a_rule("grave", Severity.ERROR)
    first = a_case(Case.BARE, mild.found(edition="en"), mild.found(edition="fr"))
    second = a_case(Case.ONE_ITEM, mild.found(edition="en"), grave.found())
    report = ThemeReport(name="mine", cases=(first, second))
    told = [(finding.code, places) for finding, places in gathered(report)]
    assert told == [
        ("grave", {Case.ONE_ITEM: ()}),
        ("mild", {Case.BARE: ("en", "fr"), Case.ONE_ITEM: ("en",)}),
    ]
    assert not report.sound
