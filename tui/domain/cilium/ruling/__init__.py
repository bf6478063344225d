"""Rules as people choose them, and how they are written into a file."""
