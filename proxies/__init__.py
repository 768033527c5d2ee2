"""The links of a run: a real Toxiproxy, one proxy for each link, and the faults by their effect."""
