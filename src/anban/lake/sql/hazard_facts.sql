-- What the ledger says of each place: open, overdue, grave, come back; a repeat is the same item found within 180 days of its close.
WITH plain AS (
    SELECT
        place, found_on, ended_on,
        CASE WHEN ended_on IS NULL AND due_on < $as_of THEN due_on END AS overdue_since,
        no > 1 AS is_back,
        grade IN ('major', 'suspected_major', 'undetermined') AS is_major,
        origin IN ('report', 'ticket', 'whistleblower', 'alarm') AS is_call
    FROM cycles_at
),
counted AS (
    SELECT
        place,
        count(*) FILTER (WHERE ended_on IS NULL) AS open_now,
        count(*) FILTER (WHERE overdue_since IS NOT NULL) AS overdue_now,
        count(*) FILTER (WHERE ended_on IS NULL AND is_major) AS major_now,
        min(overdue_since) AS oldest_due,
        min(found_on) AS first_found,
        count(*) FILTER (WHERE found_on > $since_365) AS found_365,
        count(*) FILTER (WHERE found_on > $since_365 AND is_back) AS rebounds_365,
        count(*) FILTER (WHERE found_on > $since_90 AND is_call) AS calls_90
    FROM plain
    GROUP BY place
),
found_lately AS (
    SELECT DISTINCT place, code
    FROM cycles_at
    WHERE found_on > $since_365
),
followed AS (
    -- Only items that were found within the year go through the window, with everything that was before: sorting is what costs.
    SELECT
        c.place, c.found_on,
        lag(c.ended_on) OVER (PARTITION BY c.place, c.code ORDER BY c.found_on, c.cycle) AS closed_before
    FROM cycles_at AS c
    INNER JOIN found_lately AS f ON f.place = c.place AND f.code = c.code
),
repeated AS (
    SELECT place, count(*) AS repeats_365
    FROM followed
    WHERE found_on > $since_365 AND date_diff('day', closed_before, found_on) BETWEEN 0 AND 180
    GROUP BY place
)
SELECT
    c.place, c.open_now, c.overdue_now, c.major_now, c.oldest_due, c.first_found, c.found_365, c.rebounds_365,
    COALESCE(r.repeats_365, 0) AS repeats_365, c.calls_90
FROM counted AS c
LEFT JOIN repeated AS r ON r.place = c.place
