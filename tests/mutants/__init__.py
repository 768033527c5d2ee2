"""Wrong clients and wrong servers: the reference with one small deviation each, to see that the suite catches it."""
