"""A browser without script, style or pictures: it reads pages, follows links and sends forms, and nothing else."""

from urllib.parse import urldefrag, urljoin

import lxml.html


class PlainBrowser:
    """
    Shows one page at a time, over a `visitor.Visitor`.

    `page` is the document that is shown, `answer` how it came, `url` where it is. Follows redirects as browsers do: a
    303 by GET. Sends what stands in the fields, and the button that was pressed.
    """

    def __init__(self, visitor, *, language="en"):
        self._visitor = visitor
        self._headers = {"accept-language": language}
        self.url = ""
        self.answer = None
        self.page = None

    @property
    def heading(self):
        """The text of the page's only first heading."""
        [heading] = self.page.xpath("//h1")
        return " ".join(heading.text_content().split())

    @property
    def text(self):
        """All words of the page's main part."""
        return " ".join(self.page.xpath("//main")[0].text_content().split())

    @property
    def language(self):
        return self.page.get("lang")

    def open(self, address):
        """Go to an address, relative to where we are."""
        return self._show("GET", urljoin(self.url, address))

    def follow(self, words):
        """Follow the link with these words."""
        return self.open(self.link(words))

    def link(self, words):
        """The address of the link with these words."""
        found = [each.get("href") for each in self.page.xpath("//a") if " ".join(each.text_content().split()) == words]
        assert len(set(found)) == 1, (words, found)
        return found[0]

    def send(self, button, **fields):
        """Fill in fields and press the button with these words; a list of values ticks those boxes and no others."""
        [pressed] = [each for each in self.page.xpath("//form//button") if each.text_content().strip() == button]
        [form] = pressed.iterancestors("form")
        for name, value in fields.items():
            _fill(form, name, value)
        values = [*form.form_values(), *([(pressed.get("name"), pressed.get("value"))] if pressed.get("name") else [])]
        data = {}
        for name, value in values:
            data.setdefault(name, []).append(value)
        address = urljoin(self.url, form.get("action") or self.url)
        assert form.method == "POST", "every form of ours is sent by POST"
        return self._show("POST", address, data=data)

    def field(self, name):
        """The field of this name."""
        return self.page.xpath("//*[@name=$name]", name=name)[0]

    def error_of(self, name):
        """What is said to be wrong with a field: by the element that describes it, as a screen reader finds it."""
        described = self.page.get_element_by_id(name).get("aria-describedby", "").split()
        errors = [each for each in described if each.endswith("-error")]
        return self.page.get_element_by_id(errors[0]).text_content().strip() if errors else ""

    def _show(self, method, address, **given):
        for _ in range(5):
            self.answer = self._visitor.ask(method, urldefrag(address).url, headers=self._headers, **given)
            self.url = address
            if not self.answer.is_redirect:
                break
            location = self.answer.headers["location"]
            assert "://" not in location, "redirects of ours are relative"
            method, address, given = "GET", urljoin(address, location), {}
        if self.answer.headers.get("content-type", "").startswith("text/html"):
            self.page = lxml.html.document_fromstring(self.answer.text)
        return self


def _fill(form, name, value):
    boxes = form.xpath(".//input[@type='checkbox'][@name=$name]", name=name)
    if not boxes:
        assert name in form.fields, (name, list(form.fields))
        form.fields[name] = value
        return
    assert set(value) <= {box.get("value") for box in boxes}
    for box in boxes:
        box.checked = box.get("value") in value
