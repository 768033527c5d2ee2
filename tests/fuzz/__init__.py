"""Hostile input for the decoders and the cores: targets, corpora, and what drives them (see CONTRIBUTING.md)."""
