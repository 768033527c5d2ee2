"""What a run leaves behind, and how people and machines read it."""
