"""A message opened for officers: exactly what is sent, and copies in which something is shown."""

import pytest

from newsletter.compilation.artifact import SAMPLE
from newsletter.compilation.compiler import compile_edition, sample_message
from newsletter.compilation.preview import in_scheme, marked, opened, pictures_elsewhere
from newsletter.links import Links

LINKS = Links("https://news.example")


def test_the_parts_are_those_of_the_message(make_edition, themes):
    artifact = compile_edition(make_edition(), links=LINKS, templates_dir=themes)
    message = opened(sample_message(artifact))
    assert message.html.decode() == artifact.html_for(SAMPLE).replace("\n", "\r\n")
    assert message.text.replace("\r\n", "\n").strip() == artifact.text_for(SAMPLE).strip()
    assert message.subject == artifact.subject_for(SAMPLE)
    assert message.source == sample_message(artifact)


@pytest.mark.parametrize(
    ("page", "passage", "shown"),
    [
        ("<p>Lamps at night</p>", "Lamps at night", "Lamps at night"),
        ("<p>Lamps\r\n at night</p>", "Lamps at night", "Lamps\r\n at night"),
        ("<p>Fish &amp; chips &lt;3</p>", "Fish & chips <3", "Fish &amp; chips &lt;3"),
        ("<p>Welcome to the <em>December</em> issue.</p>", "Welcome to the *December* issue.", "Welcome to the"),
        ("<title>Lamps</title><!-- Lamps --><p>Lamps</p>", "Lamps", "Lamps"),
    ],
    ids=["words", "a line that was broken", "entities", "up to the first markup", "what is seen, not what is hidden"],
)
def test_a_passage_is_marked_where_it_is_seen(page, passage, shown):
    made = marked(page, passage)
    start = made.index("<mark ")
    assert made.startswith(page[: page.rindex(shown)])
    assert made[start:].partition(">")[2].startswith(f"{shown}</mark>")
    assert made.count("<mark ") == 1
    assert 'id="passage"' in made


@pytest.mark.parametrize("passage", ["elsewhere", "", "  ", "of", '"><script>'])
def test_a_page_without_the_passage_stays_as_it_is(passage):
    page = "<p>Lamps of quays</p>"
    assert marked(page, passage) == page


def test_what_looks_like_a_tag_in_a_passage_marks_words_and_no_tags():
    assert marked('<p class="lamps">x</p>', "lamps") == '<p class="lamps">x</p>'


@pytest.mark.parametrize(
    ("scheme", "dark", "light"),
    [("dark", "(min-width:0)", "(max-width:0)"), ("light", "(max-width:0)", "(min-width:0)")],
)
def test_a_copy_shows_a_scheme_whatever_the_device_prefers(scheme, dark, light):
    page = (
        '<meta name="color-scheme" content="light dark"><style>:root{color-scheme:light dark}'
        "@media (prefers-color-scheme: dark){a{color:#fff}}@media screen and (prefers-color-scheme:light){a{color:#000}}"
        "</style>"
    )
    assert in_scheme(page, scheme) == (
        f'<meta name="color-scheme" content="{scheme}"><style>:root{{color-scheme:{scheme}}}'
        f"@media {dark}{{a{{color:#fff}}}}@media screen and {light}{{a{{color:#000}}}}</style>"
    )


def test_pictures_on_other_sites_are_counted_once():
    page = (
        '<img src="https://news.example/media/a.png"><img alt="" src="https://media.example/b.png">'
        '<img src="https://other.example/c.png?a=1&amp;b=2"><td style="background:url(\'https://other.example/d.png\')">'
        '<img src="https://other.example/c.png?a=1&amp;b=2"><a href="https://other.example/">x</a><img src="cid:1">'
    )
    ours = ["https://news.example", "https://media.example/files"]
    assert pictures_elsewhere(page, ours) == ("https://other.example/c.png?a=1&b=2", "https://other.example/d.png")
