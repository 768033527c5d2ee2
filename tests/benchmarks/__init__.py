"""How fast linkproof is, how exact, and how much it carries: ``make bench``."""
