"""``transformer``: trained from scratch on the user's own rows."""
