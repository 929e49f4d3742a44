"""Statistics that decide something: exact tests, scans, charts, hidden totals; pure, without numpy."""
