"""
Which HTML and CSS which mail programs show: a table of facts, of what a newsletter can meet.

Takes nothing, yields `ClientFacts`. The facts are drawn from caniemail (https://www.caniemail.com, MIT licence, © 2019
Rémi Parmentier) as of 2026-06-29: for each program the newest version that was tested, for a program on several systems
the poorest of them. Choice, titles, signs and what breaks reading are our own. `caniemail` reads the data set itself,
where somebody has a newer one. Pure.

A feature is known by its signs, the marks that it leaves in a document (see `features`): it is used where any of them
is. A sign that ends in `*` stands for all that begin so.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

AS_OF: Final = "2026-06-29"
"""The day of the data set that the table was drawn from."""


@dataclass(frozen=True, slots=True)
class Client:
    """
    A mail program.

    `sources` is its name in the data set: family and platforms. `large` ones belong to the three families that every
    public count of opened messages puts first (Litmus, monthly, 2021–2022). Their shares are not given in numbers:
    since programs fetch pictures that nobody looks at, nobody can count readers.
    """

    name: str
    family: str
    sources: tuple[str, ...]
    large: bool = False


CLIENTS: Final = (
    Client("Apple Mail (macOS)", "Apple Mail", ("apple-mail", "macos"), large=True),
    Client("Apple Mail (iOS)", "Apple Mail", ("apple-mail", "ios"), large=True),
    Client("Gmail (web)", "Gmail", ("gmail", "desktop-webmail"), large=True),
    Client("Gmail (iOS, Android)", "Gmail", ("gmail", "ios", "android"), large=True),
    Client("Outlook (Windows)", "Outlook", ("outlook", "windows"), large=True),
    Client("Outlook.com", "Outlook", ("outlook", "outlook-com"), large=True),
    Client("Outlook (macOS)", "Outlook", ("outlook", "macos"), large=True),
    Client("Outlook (iOS, Android)", "Outlook", ("outlook", "ios", "android"), large=True),
    Client("Yahoo Mail (web)", "Yahoo Mail", ("yahoo", "desktop-webmail")),
    Client("Yahoo Mail (iOS, Android)", "Yahoo Mail", ("yahoo", "ios", "android")),
    Client("Samsung Email", "Samsung Email", ("samsung-email", "android")),
    Client("Thunderbird", "Thunderbird", ("thunderbird", "windows", "macos")),
    Client("Proton Mail", "Proton Mail", ("protonmail", "desktop-webmail", "ios", "android")),
    Client("GMX, WEB.DE", "GMX, WEB.DE", ("gmx", "desktop-webmail")),
    Client("Orange", "Orange", ("orange", "desktop-webmail")),
    Client("SFR", "SFR", ("sfr", "desktop-webmail")),
    Client("La Poste", "La Poste", ("laposte", "desktop-webmail")),
    Client("Fastmail", "Fastmail", ("fastmail", "desktop-webmail")),
)
"""In the order of the table's columns."""

SUPPORTED: Final = "y"
PARTLY: Final = "a"
LOST: Final = "n"
UNKNOWN: Final = "u"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """
    Something that a document can use.

    `support` has one letter for each of `CLIENTS`: y supported, a partly, n not at all, u not known. `breaks` is True
    where readers of a program without it miss words or pictures, or cannot make them out.
    """

    slug: str
    title: str
    signs: tuple[str, ...]
    support: str
    breaks: bool = False

    def clients(self, support: str) -> tuple[Client, ...]:
        """The programs with this letter."""
        return tuple(client for client, letter in zip(CLIENTS, self.support, strict=True) if letter == support)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFacts:
    """All features that are known, and the day from which that is."""

    as_of: str
    features: tuple[Feature, ...]


_TABLE: Final = """
yy ya nyyy yy yyy nnyyy ! css-display-flex | display: flex | display:flex display:inline-flex
yy ya nyyy yy yyy nnyyy ! css-display-grid | display: grid | display:grid display:inline-grid
yy yy ayyy yy yyy yyyyy ! css-display-none | display: none | display:none
aa nn naan aa ayy yaaaa ! css-position | position
yy nn nyyy nn ayy yyyyy . css-left-right-top-bottom | left, right, top, bottom | left right top bottom
yy nn nnnn nn nyu nuuuu . css-inset | inset
yy nn nyyy yy yyy yyyyy . css-z-index | z-index
yy ya nyyy aa yyy ayyyy . css-float | float
yy ya nyua aa yuy auuuu . css-clear | clear
yy yy nyyy nn yyy nyyyy . css-column-count | column-count | column-count columns
yy aa naaa nn yyy nnyya . css-gap | gap | gap row-gap column-gap
yy nn nyyn nn yyy nnyyy . css-flex-direction | flex-direction | flex-direction flex-flow
yy nn nyyy nn yyy nnyyy . css-justify-content | justify-content
yy nn nyyy nn yyy nnyyy . css-align-items | align-items
aa aa naaa aa aya aayyy . css-overflow | overflow | overflow overflow-x overflow-y
yy nn nyyy yy yyy ynyyy ! css-visibility | visibility
yy yy nyyy yy yyy nnyyy . css-opacity | opacity
yy nn nnnn nn yyy nnyyy . css-clip-path | clip-path
yy nn nnyn nn yuu nuuuu . css-mask-image | mask-image | mask-image mask
yy ya nyyy nn yyy nnyyy . css-object-fit | object-fit
yy nn nnnn nn nny nnyyn . css-aspect-ratio | aspect-ratio
yy yy nyyy nn yyy ynyyy . css-box-sizing | box-sizing
yy yy nyyy yy yyn yyyyy . css-min-height | min-height
yy yy nyyy yy yyy yyyyy . css-min-width | min-width
yy yy nyyy yy yyy yyyyy . css-max-height | max-height
yy yy ayyy yy yyy yyyyy . css-max-width | max-width
nn nn nnnn nn yyy nnyyn . css-inline-size | inline-size | inline-size block-size
yy nn nnnn nn nyy nyyyy . css-margin-inline-block | margin-inline, margin-block | margin-inline* margin-block*
yy nn nnnn nn nuy nuuuu . css-padding-inline-block | padding-inline, padding-block | padding-inline* padding-block*
yy nn nnnn nn nuy nuyuu . css-border-inline-block | border-inline, border-block | border-inline* border-block*
yy ya nyyy nn yyy nnyyn ! css-writing-mode | writing-mode
yy nn nnnn nn yyy nnyyy . css-transform | transform | transform rotate scale translate
yy nn nnnn aa ayn unyyy . css-transition | transition
yy nn nnnn nn ynn nnaay . css-animation | animation | animation animation-name
yy nn nnnn yn yyn nnnny . css-at-keyframes | @keyframes | @keyframes @-webkit-keyframes
yy nn nnnn nn yyy nnyyn . css-filter | filter
yy nn nnyn nn yuy nuyuu . css-backdrop-filter | backdrop-filter | backdrop-filter -webkit-backdrop-filter
yy ya nyyy nn yyy nnyyn . css-mix-blend-mode | mix-blend-mode
yy na nyyy nn yyy nnyyy . css-box-shadow | box-shadow
yy nn nnnn yy yyy yyyyy . css-text-shadow | text-shadow
yy yy nyyy aa yyy nnyyy . css-border-radius | border-radius | border-radius border-top-left-* border-top-right-*
yy nn nnnn nn yyy nnyyy . css-border-image | border-image | border-image border-image-source
yy yy nyyy aa yyy ayyyy . css-background-image | background-image | background-image background:url()
yy ya nyyy yy yyy nnyyy . css-background-size | background-size
yy yy nyyy yy yyy ayyyy . css-background-position | background-position
yy ya nnnn nn ayy nnyyy . css-linear-gradient | linear-gradient() | linear-gradient() repeating-linear-gradient()
yy ya nnnn nn yyy nyyyy . css-radial-gradient | radial-gradient() | radial-gradient() repeating-radial-gradient()
yy nn nnnn nn ayy unyyy . css-conic-gradient | conic-gradient() | conic-gradient() repeating-conic-gradient()
yy aa nyyy aa yyy nnyyy . css-rgba | rgba()
yy nn nnnn nn nnn uuuuy ! css-modern-color | oklch(), color() | lab() lch() oklab() oklch() color() color-mix()
yy nn nnnn nn aya nnaau ! css-function-light-dark | light-dark()
yy nn nnnn nn yyy nnyyn ! css-variables | var()
yy ya nnnn nn yyy nnyyy . css-unit-calc | calc()
yy ya nnnn nn ayy nnyyn . css-function-clamp | clamp()
yy ya nnnn nn ayy nnyyn . css-function-min | min()
yy ya nnnn nn ayy nnyyn . css-function-max | max()
yy yy nyyy nn yyy nnyyy . css-unit-rem | rem | 1rem
ya yy nyyy yy yyy nnyyn . css-unit-vh | vh | 1vh
yy yy nyyy yy yyy nnyyn . css-unit-vw | vw | 1vw
yy yy nyyy nn yyy nnyyy . css-unit-vmin | vmin | 1vmin
yy yy nyyy nn yyy nnyyy . css-unit-ch | ch | 1ch
yy nn annn nn yyn nnnnn . css-at-font-face | @font-face
yy nn ynnn nn nnn nnnnn . css-at-import | @import
yy aa naaa aa ana yynny . css-at-media | @media
yy nn nyyy nn ynn nynny . css-at-media-prefers-color-scheme | @media (prefers-color-scheme) | (prefers-color-scheme)
yy nn nyyy nn yna nyynn . css-at-media-prefers-reduced-motion | (prefers-reduced-motion)
ya yn nyyy nn ynn yynny . css-at-media-orientation | @media (orientation) | (orientation)
yy nn nyyy nn yuy uunnu . css-at-media-hover | @media (hover) | (hover)
yy nn nnnn yy ynn nynnn . css-at-supports | @supports
ay nn nnnn nn aya uaauu ! css-nesting | &
yy nn nnnn nn yyn nuaun . css-color-scheme | color-scheme
yy ya nyyy ya nyy yyyyy . css-white-space | white-space
aa ya yaaa nn aya nayyy . css-word-break | word-break
aa nn nnnn nn yuu uuuuu . css-overflow-wrap | overflow-wrap
yy nn nnnn nn yuu uuyuu . css-hyphens | hyphens | hyphens -webkit-hyphens
yy ya nyyy nn nyy nnyyy . css-text-overflow | text-overflow
yy yy ayyy yy yyy yyyyy . css-text-transform | text-transform
yy yy ayyy yy yyy yyyyy . css-letter-spacing | letter-spacing
yy nn nnnn nn yyn ynyyy . css-list-style-image | list-style-image
yy yy yyyy yy yyy yyyyy ! css-direction | direction
yy yn naan yy yyy nynny . css-pseudo-class-hover | :hover
yn nn naan yy yyy yynny . css-pseudo-class-focus | :focus
yy nn naaa yy yyn nnnny ! css-pseudo-class-checked | :checked
nn nn naay yy yyn ynnnn . css-pseudo-class-target | :target
yy nn naay yy yyn yynny . css-pseudo-class-first-child | :first-child
yy nn nnnn nn yyn nynny . css-pseudo-class-nth-child | :nth-child() | :nth-child
yy nn nnnn nn yyn nynny . css-pseudo-class-not | :not() | :not
yy nn nnnn nn ynn nynny . css-pseudo-class-has | :has() | :has
yy nn naan nn yyn nnnny . css-pseudo-element-before | ::before
yy nn naan nn yyn nnnny . css-pseudo-element-after | ::after
yy aa naaa aa yyn nyyyy . css-selector-attribute | [attribute] | [attr]
yy ya nyyy yy yyn nnyyy . css-selector-child | a > b | a>b
yy ya nyyy yy yyn ayyyy . css-selector-adjacent-sibling | a + b | a+b
yy ya nyyy yy yyn nyyyy . css-selector-general-sibling | a ~ b | a~b
ya nn nnyn nn ayn nnynn ! html-video | <video>
yy nn nnnn nn yyn nnynn ! html-audio | <audio>
ay nn nnnn nn aan nnnnn ! html-object | <object> | <object> <embed>
ay nn nnnn nn yyy nyyyn ! html-svg | <svg>
ay nn nnnn nn yyn nnyyn . html-picture | <picture>
yy nn nnnn nn yyn nnyyn . html-srcset | srcset | srcset=
yy nn nnnn nn yyn nnyyn . html-loading-attribute | loading | loading=
yy yy yyyy yn yyn yyyyy ! html-image-maps | <map> | <map> usemap=
yy ya ayyy yy yyy yyyyy . html-background | background | background=
yy ya naay yn yyn nnnnn ! html-form | <form>
yy yy nyyn yn nan nnnny ! html-input-text | <input> | <input> type=text type=email
yy yy nyyy yy yan nnnny ! html-input-checkbox | <input type="checkbox"> | type=checkbox
yy ya nnnn yn yyn nyayy ! html-button-submit | <button> | <button> type=submit
ya ya nyyy yn yay nynny ! html-select | <select>
yy yy nyyn yn naa nynny ! html-textarea | <textarea>
yy nn nnnn nn yyn nnyyn ! html-dialog | <dialog>
yy nn nnnn nn ann uuyun ! html-popover | popover | popover=
yy nn nnnn nn yyy nuyuu ! html-hidden | hidden | hidden=
yy aa yaan aa yyn nnnna ! html-base | <base>
yy nn ynnn nn nnn nnnnn . html-link | <link>
yy aa ayyy yy yya nynny . html-style | <style>
yy aa naaa nn yyy nayyy . html-semantics | <section>, <nav> … | <article> <section> <nav> <header> <footer> <main>
yy nn naay ay yya nnyan . html-marquee | <marquee>
yy nn nnnn nn yyy nnyyy . html-progress | <progress> | <progress> <meter>
yy nn nyyy yy yyy nnyyy . html-ruby | <ruby>
yy nn nnnn nn yyy nnyyy . html-bdi | <bdi>
yy yn nyyy yy yyy nnyyy . html-wbr | <wbr>
yy yn yyyy an nyn ynnny . html-anchor-links | href="#…" | href=#
yy yy yyyy ya yya yayyy . html-mailto-links | mailto: | href=mailto:
aa nn anaa nn aan nnyyn . html-target | target | target=
yy yy yyyy nn yny nnyyy . html-aria-label | aria-label | aria-label=
yy nn nnyy nn yny nnyyn . html-aria-labelledby | aria-labelledby | aria-labelledby=
yy yy yyyy nn yny nnyyy . html-aria-hidden | aria-hidden | aria-hidden=
yy yy yyyy aa yyy nnyyy . html-role | role | role=
yy yy yyyy aa yyy nnyyy . html-lang | lang | lang=
yy yy ayyy yy yyy nayyy . html-dir | dir | dir=
yy aa nyyy yy yyy yyyyy ! image-webp | WebP | .webp
yy aa nyyy yy yyy nyyyn ! image-avif | AVIF | .avif
yy na yyyy yy yyy yyyyy ! image-svg | SVG | .svg
yy nn nyyn yy yyy yyyyy . image-apng | APNG | .apng
yy aa nnyn an nnn nnnnn ! image-heif | HEIF | .heif .heic
yy aa nnyn nn nnn nnyyn ! image-tiff | TIFF | .tiff .tif
yy aa yyyy yy yyy yyyyy ! image-bmp | BMP | .bmp
yy yy nyyy yy yyy yyyyy ! image-ico | ICO | .ico
yy nn nynn yn nnn nyyyn ! image-mp4 | MP4 | .mp4
yy nn ayyy yy yyy aynny ! image-base64 | data:"""
"""
Support by client in groups (Apple, Gmail, Outlook, Yahoo, others, European webmail); `!` where its lack breaks reading;
name in the data set | title | signs, where they are not the title.
"""


@cache
def own_facts() -> ClientFacts:
    """The facts of our own table."""
    return ClientFacts(as_of=AS_OF, features=tuple(_row(line) for line in _TABLE.strip().splitlines()))


def _row(line: str) -> Feature:
    first, title, *signs = (part.strip() for part in line.split("|"))
    *support, mark, slug = first.split()
    return Feature(
        slug=slug,
        title=title,
        signs=tuple(signs[0].split()) if signs else (title,),
        support="".join(support),
        breaks=mark == "!",
    )
