"""A run that is interrupted at any moment leaves nothing behind, and what it has seen so far."""
