"""
Parts of an entry's form, and what helps with its words.

Takes what the form of an entry says; yields its sittings and its picture, the block as it will look in the mail, pasted
text as Markdown, translators' documents, topics. Promises that nothing is stored but what a page says it stores: the
form of an entry is saved by `entries`, which asks `sittings_in` and `picture_in` for their fields.

How the form of an entry has them
    names of `show`     `parts=entry_parts(newsletter, entry, key=…, language=…, form=None)` (module `view`): `entry` is
                        None for a new one (`key` is then "new"), `form` what was sent and shall be shown again
    in its <form>       `{% include "entries/sittings.html.j2" %}` and `{% include "entries/picture.html.j2" %}`
    on save, autosave   `sittings_in(form, entry)` (module `sittings`) and `picture_in(form, entry)` (module `picture`):
                        each gives the value and its problems, by the name of the field, as messages for `say`; a form
                        that does not have these parts at all leaves what `entry` has
    beside the form     `{% include "parts/block.html.j2" %}` with `block_form` (the id of the form): the live block
    before a textarea   `<div class="md-toolbar" data-for="ID"></div>`: buttons, keys, and pasted HTML as Markdown
    scripts, styles     `desk-parts.js` (module), `desk-parts.css`

The fields are those of `sittings` (`sitting-count`, `sitting-0-start` …) and `picture` (`picture-file-fr`,
`picture-alt-fr` …); the block is made of the whole form by `entries`' own reading of it.
"""
