"""The other engine for faults: a network of namespaces of the run's own, and the kernel's own means below TCP."""
