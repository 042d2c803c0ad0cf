import shutil

import pytest

from newsletter.assembly.edition import Phrase
from newsletter.compilation.slots import Slots
from newsletter.compilation.templates import render, render_mjml, render_text, unknown_words
from newsletter.compilation.theme import read_theme, theme_names
from newsletter.compilation.vocabulary import names_for_mjml, names_for_text, proper_name, rule, wrap
from newsletter.content.entry import Action
from newsletter.errors import NotFound, TemplateFault


@pytest.fixture
def slots():
    return Slots("0123456789")


@pytest.fixture
def say(tmp_path, themes, make_edition, slots):
    """Render one template source in MJML, with the names that themes have."""

    def rendered(source, edition=None, **values):
        (tmp_path / "x.mjml.j2").write_text(source, encoding="utf-8")
        names = names_for_mjml(read_theme("plain", folder=themes), edition or make_edition(), slots=slots)
        return render(tmp_path, "x.mjml.j2", names={**names, **values})

    return rendered


@pytest.fixture
def say_plainly(tmp_path, themes, make_edition, slots):
    """Render one template source as text, with the names that themes have."""

    def rendered(source, edition=None, **values):
        (tmp_path / "x.txt.j2").write_text(source, encoding="utf-8")
        names = names_for_text(read_theme("plain", folder=themes), edition or make_edition(), slots=slots)
        return render(tmp_path, "x.txt.j2", names={**names, **values})

    return rendered


HOSTILE = 'a<script>{{ 7*7 }}{% x %} & "q" [[unsubscribe]] [[first_name|you & me]]'
ESCAPED = "a&lt;script&gt;{{ 7*7 }}{% x %} &amp; &#34;q&#34; [[unsubscribe]] zq0123456789t0qz"


def test_officers_words_come_out_escaped_and_are_never_evaluated(say, slots):
    assert say("{{ mark(x) }}|{{ x | plain }}|{{ p | phrase }}", x=HOSTILE, p=Phrase(text=HOSTILE)) == "|".join(
        [ESCAPED] * 3
    )
    assert say("{{ x }}", x="<b>") == "&lt;b&gt;"
    assert slots.unknown == ("unsubscribe",)


def test_in_text_they_stay_as_they_are(say_plainly):
    shown = say_plainly("{{ mark(x) }}|{{ x | phrase }}|{{ none | plain }}", x=HOSTILE, none=None)
    plain = HOSTILE.replace("[[first_name|you & me]]", "zq0123456789t0qz")
    assert shown == f"{plain}|{plain}|"


def test_foreign_phrases_carry_their_language_and_direction(say):
    assert say("{{ phrase(p) }}", p=Phrase(text="à <l’eau>", lang="fr", dir="ltr")) == (
        '<span lang="fr" dir="ltr">à &lt;l’eau&gt;</span>'
    )
    assert say("{{ phrase(p) }}", p=Phrase(text="x", lang="fr")) == '<span lang="fr" dir="auto">x</span>'
    assert say("{{ plain(p) }}", p=Phrase(text="x", lang="fr", dir="ltr")) == "x"
    assert say("[{{ phrase(none) }}]", none=None) == "[]"


def test_the_themes_words_are_escaped_and_their_values_put_in_afterwards(say, say_plainly, make_edition):
    french = make_edition(language="fr")
    assert say('{{ say("Read more") }}', french) == "Lire la suite"
    assert say('{{ say("{action}: {title}", action="<a>", title=phrase(p)) }}', p=Phrase(text="{x}", lang="de")) == (
        '&lt;a&gt;: <span lang="de" dir="auto">{x}</span>'
    )
    assert say('{{ say("Sent to {email}", email=slot("recipient")) }}').endswith("zq0123456789t0qz")
    assert "2" in say('{{ say_n("{n} more date", "{n} more dates", 2) }}', french)
    assert "2" in say_plainly('{{ say_n("{n} more date", "{n} more dates", 2) }}')


def test_words_that_had_to_stay_english_are_told(say, make_edition):
    assert say("{{ words_language }}", make_edition(language="hu")) == "en"
    assert say("{{ words_language }}", make_edition(language="fr-BE")) == "None"


def test_links_say_what_they_do_and_where_they_lead(say, say_plainly, make_anchor):
    action = make_anchor(action=Action.DOWNLOAD)
    label = make_anchor(action=None, label=Phrase(text="Programme & <b>", lang="fr", dir="ltr"))
    assert say("{{ action_words(a) }}|{{ spoken(a) }}", a=action).startswith("Download|Download: Eleven")
    assert say("{{ action_words(a) }}|{{ spoken(a) }}", a=label) == (
        '<span lang="fr" dir="ltr">Programme &amp; &lt;b&gt;</span>|Programme &amp; &lt;b&gt;'
    )
    assert say_plainly("{{ action_words(a) }}|{{ spoken(a) }}", a=label) == "Programme & <b>|Programme & <b>"
    assert say_plainly("{{ spoken(a) }}", a=action) == "Download: Eleven partners compare their records"


def test_a_link_of_nothing_in_particular_says_its_action_alone(say, say_plainly, make_anchor):
    from dataclasses import replace

    lonely = replace(make_anchor(), context=Phrase(text=""))
    assert say("{{ spoken(a) }}", a=lonely) == "Read more"
    assert say_plainly("{{ spoken(a) }}", a=lonely) == "Read more"


@pytest.mark.parametrize("action", list(Action))
def test_every_action_has_words_in_every_language(say, make_edition, make_anchor, action):
    english = say("{{ action_words(a) }}", a=make_anchor(action=action))
    assert say("{{ action_words(a) }}", make_edition(language="ar"), a=make_anchor(action=action)) != english


def test_commonmark_becomes_html_or_wrapped_text_with_its_slots(say, say_plainly):
    source = "*Hello* [[first_name|reader]] <b> [x](https://a.example/[[city]])"
    html = say("{{ s | md }}", s=source)
    assert "<em>Hello</em> zq0123456789t0qz &lt;b&gt;" in html
    assert "zq0123456789t1qz" not in html
    assert "<p>" not in say("{{ s | md_inline }}", s="*x*")
    text = say_plainly("{{ s | text(40) }}", s="word " * 30 + "[[first_name|reader]]")
    assert max(map(len, text.splitlines())) <= 40
    assert "zq0123456789t0qz" in text


def test_the_reader_own_addresses_and_values_are_tokens(say):
    assert say('{{ url("unsubscribe_url") }}') == "https://t.invalid/zq0123456789u0qz"
    assert say('{{ slot("first_name", "friend") }}') == "zq0123456789t1qz"
    with pytest.raises(TemplateFault, match="no address 'leave'"):
        say('{{ url("leave") }}')


def test_colours_fonts_and_sides_are_at_hand(say, make_edition):
    source = "{{ colours.brand }} {{ colours.light.paper }} {{ colours.dark.accent }} {{ fonts.body }} {{ options.numbered }} {{ start }}"
    assert say(source).startswith("#0b5c8a #ffffff #")
    assert say(source).endswith("Helvetica, Arial, sans-serif True left")
    assert say("{{ start }} {{ end }}", make_edition(dir="rtl")) == "right left"


@pytest.mark.parametrize(
    ("network", "name"),
    [("mastodon", "Mastodon"), ("linkedin", "LinkedIn"), ("YouTube", "YouTube"), ("x", "X"), ("", "")],
)
def test_social_networks_are_written_as_they_write_themselves(network, name):
    assert proper_name(network) == name


def test_paragraphs_are_wrapped_and_underlined():
    assert wrap("one two three", 8, "  ", "- ") == "- one\n  two\n  three"
    assert wrap("https://a.example/a-very-long-address zq0123456789t0qz", 10).count("\n") == 1
    assert rule("one\nthree", "=") == "one\nthree\n====="
    assert rule("") == "\n"


def test_a_whole_theme_is_rendered_in_both_forms(themes, make_edition, slots):
    theme = read_theme("plain", folder=themes)
    assert render_mjml(theme, make_edition(), slots=slots).startswith('<mjml lang="en" dir="ltr">')
    assert "River Cities News\n=====" in render_text(theme, make_edition(), slots=slots)


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("a\n{{ nowhere }}", 2, "'nowhere' is undefined"),
        ("a\n\n{{ edition.nothing }}", 3, "has no attribute 'nothing'"),
        ("{% if %}", 1, "Expected an expression"),
        ('\n{% include "parts/none.mjml.j2" %}', 2, "there is no template parts/none.mjml.j2"),
        ("\n{{ 1 / 0 }}", 2, "ZeroDivisionError: division by zero"),
        ('{{ "x" | text }}', 1, "UndefinedError"),
        ("{{ fonts.none }}", 1, "has no attribute 'none'"),
    ],
)
def test_a_fault_is_named_with_template_and_line(say, tmp_path, source, line, message):
    with pytest.raises(TemplateFault, match=message) as fault:
        say(source)
    assert (fault.value.template, fault.value.line) == (f"{tmp_path.name}/x.mjml.j2", line)


def test_a_fault_in_an_included_part_is_named_there(say, tmp_path):
    (tmp_path / "part.mjml.j2").write_text("\n\n{{ nowhere }}", encoding="utf-8")
    with pytest.raises(TemplateFault) as fault:
        say('{% include "part.mjml.j2" %}')
    assert (fault.value.template, fault.value.line) == (f"{tmp_path.name}/part.mjml.j2", 3)


def test_a_missing_main_template_is_named(tmp_path):
    with pytest.raises(TemplateFault, match=r"there is no template issue\.mjml\.j2"):
        render(tmp_path, "issue.mjml.j2", names={})


def test_errors_of_our_own_pass_unchanged(say):
    def refuse():
        raise NotFound("thing", "x")

    with pytest.raises(NotFound):
        say("{{ refuse() }}", refuse=refuse)


def test_control_characters_in_officers_words_are_dropped(say):
    assert say("[{{ mark(x) }}]", x="a\x00\x1f\x7f\x85\ud800\uffffb\t\u2028c") == "[ab\t\u2028c]"


@pytest.fixture
def based(tmp_path, themes):
    """A theme with one template of its own, based on the plain one; returns how to read it."""
    shutil.copytree(themes / "plain", tmp_path / "plain")
    (tmp_path / "mine" / "parts").mkdir(parents=True)
    (tmp_path / "mine" / "manifest.toml").write_text('title = "Mine"\nbase = "plain"\n')

    def written(name, source):
        (tmp_path / "mine" / name).write_text(source, encoding="utf-8")
        return read_theme("mine", folder=tmp_path)

    return written


def test_a_template_that_a_theme_lacks_is_its_bases(based, make_edition, slots):
    theme = based("issue.txt.j2", "{{ edition.date_words }}")
    assert render_text(theme, make_edition(), slots=slots) == "1 December 2026"
    assert "<mjml" in render_mjml(theme, make_edition(), slots=slots)


def test_faults_name_the_theme_that_the_template_belongs_to(based, make_edition, slots):
    theme = based("parts/section.mjml.j2", "\n{% if %}")
    with pytest.raises(TemplateFault, match=r"mine/parts/section.mjml.j2:2: "):
        render_mjml(theme, make_edition(), slots=slots)
    theme = based("parts/section.mjml.j2", "\n\n{{ nobody }}")
    with pytest.raises(TemplateFault, match=r"mine/parts/section.mjml.j2:3: UndefinedError"):
        render_mjml(theme, make_edition(), slots=slots)


def test_words_that_no_catalogue_has_are_told(based):
    theme = based(
        "extra.mjml.j2",
        '{{ say("Read more") }} {{ say("Hurry up") }} {{ say_n("{n} more date", "{n} more dates", 2) }}'
        '{{ say("Read more", context="a shop") }} {{ say(words) }} {{ say("x" ~ words) }} {{ say() }} {{ other("y") }}',
    )
    assert unknown_words(theme) == ("Hurry up", "Read more")


def test_a_template_that_cannot_be_read_is_told_even_where_nothing_uses_it(based):
    with pytest.raises(TemplateFault, match=r"mine/extra.mjml.j2:2: "):
        unknown_words(based("extra.mjml.j2", "\n{% for %}"))


@pytest.mark.parametrize("theme", theme_names())
def test_the_programs_themes_say_only_what_the_catalogues_know(theme):
    assert unknown_words(read_theme(theme)) == ()
