"""What a scenario is given: people, links and a clock. The same words over real processes, or over virtual time."""
