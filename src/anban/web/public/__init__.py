"""Pages that need no post: sign-in, set-up link, verification of a seal."""
