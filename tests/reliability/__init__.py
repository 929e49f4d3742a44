"""Kill, race, tamper, fuzz, full disks and the matrix of who opens what; each with a planted fault that it must catch."""
