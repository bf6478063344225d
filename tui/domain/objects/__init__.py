"""Objects and their files: new ones, removals, renames, and what has to list them."""
