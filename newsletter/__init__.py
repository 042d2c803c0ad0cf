"""Stores entries in several languages, assembles issues of them, compiles one edition per language, dispatches it."""
