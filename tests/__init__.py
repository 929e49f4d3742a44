"""The tests of Anban, by room of the house."""
