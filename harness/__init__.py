"""linkproof: proves how a realtime-messaging client holds on to its connection."""
