"""The code of the notes in plain NumPy, its typing errors mended: what everything is compared with."""
