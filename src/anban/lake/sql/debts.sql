-- The hazards of each street that are owed longest.
WITH numbered AS (
    SELECT
        street, place_kind, class_code, grade, hazard, no, found_on, due_on,
        row_number() OVER (PARTITION BY street ORDER BY due_on, cycle) AS nth
    FROM cycles_at
    WHERE ended_on IS NULL AND due_on < $as_of
)
SELECT
    n.nth, h.id, n.street, n.place_kind, n.class_code, n.grade, n.no, n.found_on, n.due_on,
    date_diff('day', n.due_on, $as_of) AS days_overdue
FROM numbered AS n
INNER JOIN hazards AS h ON h.hazard = n.hazard
WHERE n.nth <= $most
ORDER BY n.street, n.nth
