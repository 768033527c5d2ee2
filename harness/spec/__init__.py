"""The rules of the connection-state document as data: states, transitions, clauses, durations, profiles.

Nothing else in the project may state a rule; everything else reads it here. The scenarios are the deliberate
exception: they write what they expect literally, so that a wrong row here cannot be right twice.
"""
