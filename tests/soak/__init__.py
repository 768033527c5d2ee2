"""The reference certified again and again, on a quiet host and on an overloaded one: it must never be accused."""
