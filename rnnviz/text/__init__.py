"""What the project says: its language, its numbers in words, and the registries that menus read."""
