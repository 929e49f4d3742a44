"""Areas, bodies, posts and their holders (属地与机构)."""
