"""Looks at the bodies themselves: duty lists, instructions, like cases, sanction clocks, instruments, visits (督察问责)."""
