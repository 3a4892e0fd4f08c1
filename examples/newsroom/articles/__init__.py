"""Articles, their authors, tags and comments."""
