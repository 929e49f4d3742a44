-- Places that were merged into another one, with the one that is left.
SELECT place, survivor
FROM places
WHERE survivor IS NOT NULL
