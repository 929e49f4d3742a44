"""Who owes what by when (责任事项)."""
