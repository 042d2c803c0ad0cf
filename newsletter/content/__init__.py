"""
Content: what officers store, once, in all languages.

Takes content packs (and, later, the desk's forms), yields `Entry` values with one text per language, and promises that
a pack is stored whole or not at all, that storing it twice changes nothing, and that every translation knows the source
text it was made from.
"""
