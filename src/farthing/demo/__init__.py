"""A fictitious company's month: a bundled sample of real questions, and the traffic made of it."""
