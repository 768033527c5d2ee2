"""Images under test: the container engine, driven by docker-py, and what a run makes there and takes away again."""
