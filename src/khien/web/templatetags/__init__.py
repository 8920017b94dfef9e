"""Template tags of the shell: `{% load khien %}`."""
