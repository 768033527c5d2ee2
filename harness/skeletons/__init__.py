"""Adapters to begin with, one for each language, and what writes them where a user wants them."""
