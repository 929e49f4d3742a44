-- What the ledger says of each place: open, overdue, grave, come back; a repeat is the same item found within 180 days of its close.
WITH followed AS (
    SELECT
        place, no, grade, origin, found_on, due_on, ended_on,
        lag(ended_on) OVER (PARTITION BY place, code ORDER BY found_on, cycle) AS closed_before
    FROM cycles_at
)
SELECT
    place,
    count(*) FILTER (WHERE ended_on IS NULL) AS open_now,
    count(*) FILTER (WHERE ended_on IS NULL AND due_on < $as_of) AS overdue_now,
    count(*) FILTER (WHERE ended_on IS NULL AND grade IN ('major', 'suspected_major', 'undetermined')) AS major_now,
    min(CASE WHEN ended_on IS NULL AND due_on < $as_of THEN due_on END) AS oldest_due,
    min(found_on) AS first_found,
    count(*) FILTER (WHERE found_on > $since_365) AS found_365,
    count(*) FILTER (WHERE found_on > $since_365 AND no > 1) AS rebounds_365,
    count(*) FILTER (WHERE found_on > $since_365 AND date_diff('day', closed_before, found_on) BETWEEN 0 AND 180)
        AS repeats_365,
    count(*) FILTER (WHERE found_on > $since_90 AND origin IN ('report', 'ticket', 'whistleblower', 'alarm'))
        AS calls_90
FROM followed
GROUP BY place
