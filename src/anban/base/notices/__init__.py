"""What people are told, and proof that it was sent (通知)."""
