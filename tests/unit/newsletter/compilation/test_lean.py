import pytest

from newsletter.compilation.lean import lean


def lean_ltr(html):
    return lean(html, direction="ltr")


def test_classes_that_no_sheet_names_are_dropped():
    html = (
        '<style>.a>b{x:y}</style><!--[if mso]><style>.m{}</style><![endif]--><p class="a z m">x</p><p class="z">y</p>'
    )
    assert lean_ltr(html).endswith('<p class="a m">x</p><p>y</p>')


def test_every_class_stays_where_a_sheet_asks_for_parts_of_names():
    html = '<style>[class*="mj"]{x:y}</style><p class="mj-z">x</p>'
    assert lean_ltr(html) == html


@pytest.mark.parametrize(
    ("style", "short"),
    [
        ("margin: 0px auto; padding:10px 0px;", "margin:0 auto;padding:10px 0"),
        ("font-family: 'A; b: 0px', serif; color:#0px", "font-family:'A; b: 0px', serif;color:#0px"),
        ("background:url(https://a.example/0px;x) 0px", "background:url(https://a.example/0px;x) 0px"),
        (
            "background:#fff; background:linear-gradient(red, blue)",
            "background:#fff;background:linear-gradient(red, blue)",
        ),
        ("font-family:&quot;A&quot;, b; color:red", "font-family:&quot;A&quot;, b;color:red"),
        ("direction:ltr;color:red", "color:red"),
        ("width:10px;height:1.0px;margin:-0px", "width:10px;height:1.0px;margin:-0px"),
        ("a:b(c;d", "a:b(c;d"),
    ],
)
def test_styles_are_written_without_blanks_and_units_of_nothing(style, short):
    assert lean_ltr(f'<p style="{style}">x</p>') == f'<p style="{short}">x</p>'


def test_an_element_without_any_style_left_has_no_attribute():
    assert lean_ltr('<p style="direction:ltr;">x</p><p style="">y</p>') == "<p>x</p><p>y</p>"


def test_a_right_to_left_page_keeps_every_direction():
    html = '<p style="direction:rtl">x</p><p style="direction:ltr">y</p>'
    assert lean(html, direction="rtl") == html


def test_words_that_look_like_attributes_stay():
    html = '<p>say class="x" and style="a: b;" &lt;p class="y"&gt;</p>'
    assert lean_ltr(html) == html


def test_neighbouring_comments_of_one_condition_become_one():
    one, two = "<!--[if mso | IE]><td><![endif]-->", "<!--[if mso | IE]><tr><![endif]-->"
    assert lean_ltr(one + two + one) == "<!--[if mso | IE]><td><tr><td><![endif]-->"
    assert lean_ltr(f"{one}x{two}") == f"{one}x{two}"
    assert lean_ltr(f"{one} {two}") == f"{one} {two}"


def test_comments_of_another_condition_or_kind_stay_apart():
    html = "<!--[if mso]>a<![endif]--><!--[if IE]>b<![endif]--><!--[if !mso]><!--><p>c</p><!--<![endif]--><!-- d --><!-- e -->"
    assert lean_ltr(html) == html


def test_what_stands_in_comments_is_not_touched():
    html = '<!--[if mso]><p class="z" style="margin: 0px;">x</p><![endif]-->'
    assert lean_ltr(html) == html
