"""The judge: a trace in, a verdict and an explanation out. Pure, and the same now as in a year."""
