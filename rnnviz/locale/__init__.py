"""Message catalogues, and the translated notebooks and page texts generated from them; needs Babel."""
