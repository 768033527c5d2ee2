"""What is measured: each file is one part, and says how in its first lines."""
