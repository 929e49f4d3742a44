-- What the ledger says of each place: open, overdue, grave, come back; a repeat is the same item found within 180 days of its close.
WITH plain AS (
    -- Only what is counted goes through the window: narrow rows sort several times faster.
    SELECT
        place, code, cycle, found_on, ended_on,
        CASE WHEN ended_on IS NULL AND due_on < $as_of THEN due_on END AS overdue_since,
        no > 1 AS is_back,
        grade IN ('major', 'suspected_major', 'undetermined') AS is_major,
        origin IN ('report', 'ticket', 'whistleblower', 'alarm') AS is_call
    FROM cycles_at
),
followed AS (
    SELECT
        place, found_on, ended_on, overdue_since, is_back, is_major, is_call,
        lag(ended_on) OVER (PARTITION BY place, code ORDER BY found_on, cycle) AS closed_before
    FROM plain
)
SELECT
    place,
    count(*) FILTER (WHERE ended_on IS NULL) AS open_now,
    count(*) FILTER (WHERE overdue_since IS NOT NULL) AS overdue_now,
    count(*) FILTER (WHERE ended_on IS NULL AND is_major) AS major_now,
    min(overdue_since) AS oldest_due,
    min(found_on) AS first_found,
    count(*) FILTER (WHERE found_on > $since_365) AS found_365,
    count(*) FILTER (WHERE found_on > $since_365 AND is_back) AS rebounds_365,
    count(*) FILTER (WHERE found_on > $since_365 AND date_diff('day', closed_before, found_on) BETWEEN 0 AND 180)
        AS repeats_365,
    count(*) FILTER (WHERE found_on > $since_90 AND is_call) AS calls_90
FROM followed
GROUP BY place
