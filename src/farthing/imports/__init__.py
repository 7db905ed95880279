"""Other programs' settings, read as farthing's."""
