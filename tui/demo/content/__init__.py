"""What the demo shows: a chandler's shop called Harbour, its clusters, its repository and its history."""
