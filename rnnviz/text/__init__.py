"""Languages, number formats, and the registries that menus read."""
