import logging
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from newsletter.compilation.inline import _Offline, inlined


def page(body, style="", head=""):
    return f"<!doctype html><html><head><title>T</title>{head}<style>{style}</style></head><body>{body}</body></html>"


def test_a_marked_sheet_goes_into_the_elements_and_out_of_the_head():
    html = inlined(page('<p class="a">x</p>', "/*inline*/.a { color: red; }"))
    assert '<p class="a" style="color:red">x</p>' in html
    assert "<style" not in html


def test_every_other_sheet_stays_as_it_is():
    sheet = "@media print{.a{color:#000!important}} [data-ogsc] .a{color:red!important} * {x:y} :root{color-scheme:light dark}"
    html = inlined(page('<p class="a" style="color:blue">x</p>', sheet, '<style media="screen">.b{}</style>'))
    assert f"<style>{sheet}</style>" in html
    assert '<style media="screen">.b{}</style>' in html
    assert 'style="color:blue"' in html
    assert "data-premailer" not in html


def test_the_doctype_stays_so_that_no_browser_is_in_quirks_mode():
    assert inlined(page("x")).startswith("<!DOCTYPE html>\n<html>")


def test_conditional_comments_and_what_is_in_them_stay():
    comments = '<!--[if mso]><v:rect style="a:b;a:c"><style>.x{}</style><![endif]--><!--[if !mso]><!--><p>y</p><!--<![endif]-->'
    assert comments in inlined(page(comments))


def test_an_elements_own_style_wins_over_the_sheet():
    html = inlined(page('<p class="a" style="color:blue">x</p>', "/*inline*/.a { color: red; margin: 0 }"))
    assert 'style="color:blue; margin:0"' in html


def test_fallback_declarations_are_all_kept():
    sheet = "/*inline*/.a { background: #fff; background: linear-gradient(#fff, #000); }"
    html = inlined(page('<p class="a">x</p><p class="a" style="width:9px;width:calc(1px + 1%)">y</p>', sheet))
    gradient = "background:#fff; background:linear-gradient(#fff, #000)"
    assert f'<p class="a" style="{gradient}">x</p>' in html
    assert "width:9px; width:calc(1px + 1%)" in html


def test_words_that_look_like_our_masks_are_left_alone():
    assert '<p>x0-kept-0-x data-premailer="ignore"</p>' in inlined(page('<p>x0-kept-0-x data-premailer="ignore"</p>'))


def test_no_attribute_is_forced_on_an_element():
    html = inlined(
        page('<td class="a">x</td>', "/*inline*/.a{width:10px;height:5px;text-align:left;background-color:#fff}")
    )
    assert "width=" not in html
    assert "bgcolor=" not in html


def test_entities_and_scripts_of_every_kind_stay_the_same_words():
    html = inlined(page("<p>&lt;b&gt; &amp;amp; {{ 7*7 }} &nbsp;Ελλάδα مدن 🌊</p>"))
    assert "<p>&lt;b&gt; &amp;amp; {{ 7*7 }} \u00a0Ελλάδα مدن 🌊</p>" in html


@pytest.fixture
def server():
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}", asked
        http.shutdown()


def test_nothing_is_ever_fetched(server, tmp_path):
    root, asked = server
    secret = tmp_path / "secret.css"
    secret.write_text(".a{color:red}")
    sheet = f'/*inline*/@import url("{root}/import.css"); @import "file://{secret}"; .a{{background:url({root}/x.png)}}'
    html = inlined(page('<p class="a">x</p>', sheet, f'<link rel="stylesheet" href="{root}/link.css">'))
    assert asked == []
    assert "color:red" not in html


def test_premailers_own_loader_is_closed():
    with pytest.raises(AssertionError, match="tried to load"):
        _Offline("<p>x</p>")._load_external("https://a.example/x.css")


def test_nothing_is_logged(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    inlined(page('<p class="a" style="mso-line-height-rule:exactly">x</p>', "/*inline*/.a{colour:red;word-spacing:zz}"))
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_many_threads_get_what_one_gets():
    html = page('<p class="a" style="width:9px;width:calc(1px + 1%)">x</p>' * 20, "/*inline*/.a{color:red}")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(inlined, [html] * 40)) == {inlined(html)}


def test_what_is_escaped_in_an_attribute_stays_escaped():
    words = "&lt;!--[if mso]&gt;&lt;table&gt;&lt;![endif]--&gt;"
    html = inlined(page(f'<a class="a" title="{words}">{words}</a>', "/*inline*/.a{color:red}"))
    assert f'title="{words}" style="color:red">{words}</a>' in html
