"""Anban (安办): one ledger on which a city keeps every work-safety hazard (隐患) until it is closed."""
