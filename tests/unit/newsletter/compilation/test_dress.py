import pytest

from newsletter.compilation.dress import dressed
from newsletter.errors import CompilationFailed


def page(body="", title="T", wrapper='<div style="a" role="article" lang="xx" dir="auto">'):
    return f'<!DOCTYPE html>\n<html lang="xx" xmlns="y"><head><title>{title}</title></head><body>{wrapper}{body}</div></body></html>'


def dress(html, language="ar", direction="rtl"):
    return dressed(html, language=language, direction=direction)


def test_language_and_direction_stand_on_the_page_and_on_the_wrapper():
    html = dress(page())
    assert '<html xmlns="y" lang="ar" dir="rtl">' in html
    assert '<div style="a" role="article" lang="ar" dir="rtl">' in html


@pytest.mark.parametrize("title", ["", " \n"])
def test_a_page_without_title_is_refused(title):
    with pytest.raises(CompilationFailed, match="mj-title"):
        dress(page(title=title))


def test_a_page_without_wrapper_is_refused():
    with pytest.raises(CompilationFailed, match="role=article"):
        dress(page(wrapper="<div>"))


def test_layout_tables_are_announced_as_such_and_tables_of_data_are_not():
    html = dress(
        page(
            "<table><tr><td><table><tr><th>x</th></tr></table></td></tr></table>"
            '<table role="list"></table><!--[if mso]><table><th><![endif]--><table></table>'
        )
    )
    assert '<table role="presentation"><tr><td><table><tr><th>' in html
    assert '<table role="list">' in html
    assert '<!--[if mso]><table><th><![endif]--><table role="presentation">' in html


def test_a_header_cell_outside_any_table_is_no_matter():
    assert "</table><th>" in dress(page("</table><th>x"))


def test_white_space_shrinks_without_changing_a_word():
    html = dress(page("<p>one  \n      two</p>\n\n\n<pre>a\n    b</pre>\n   \n<p>three</p>"))
    assert "<p>one\ntwo</p>\n<pre>a\n    b</pre>\n<p>three</p>" in html
    assert html.endswith("</html>\n")
