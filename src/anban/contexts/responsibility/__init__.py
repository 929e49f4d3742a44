"""Who regulates what where, and the chain of persons of each matter (监管责任)."""
