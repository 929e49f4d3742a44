"""Tests of the risk order."""
