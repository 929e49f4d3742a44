-- What persons owe, by street and ladder: counts only, no person is named or compared.
SELECT
    street, ladder,
    count(*) FILTER (WHERE ended_on IS NULL OR ended_on > $as_of) AS open_now,
    count(*) FILTER (WHERE (ended_on IS NULL OR ended_on > $as_of) AND due_on < $as_of) AS overdue_now,
    count(DISTINCT CASE WHEN (ended_on IS NULL OR ended_on > $as_of) AND due_on < $as_of THEN person END) AS persons_overdue
FROM obligations
WHERE opened_on <= $as_of
GROUP BY street, ladder
ORDER BY street, ladder
