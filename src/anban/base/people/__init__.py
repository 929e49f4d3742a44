"""Persons, accounts, sessions, tokens and the Actor (人员与账号)."""
