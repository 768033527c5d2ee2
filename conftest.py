"""Has pytest play scenarios in a checkout. An installed linkproof loads the same plugin for its own runs alone."""

pytest_plugins = ["harness.plugin"]
