-- What visits say of each place: when it was last seen, how often, and how the last three with a known result ended.
WITH last_known AS (
    SELECT place, is_fail, row_number() OVER (PARTITION BY place ORDER BY day DESC, visit DESC) AS nth
    FROM (SELECT place, day, visit, result = 'fail' AS is_fail FROM visits_at WHERE result <> 'unknown') AS known
),
last3 AS (
    SELECT place, count(*) AS known_last3, count(*) FILTER (WHERE is_fail) AS fails_last3
    FROM last_known
    WHERE nth <= 3
    GROUP BY place
),
counted AS (
    SELECT
        place,
        max(day) AS last_day,
        min(day) AS first_day,
        count(*) AS visits,
        count(*) FILTER (WHERE day > $since_365) AS visits_365,
        count(*) FILTER (WHERE day > $since_365 AND kind IN ('enforcement', 'routine')) AS checks_365,
        count(*) FILTER (WHERE day > $since_730 AND result = 'fail') AS fails_730
    FROM visits_at
    GROUP BY place
),
bodies AS (
    SELECT place, count(DISTINCT body) AS bodies_365
    FROM visits_at
    WHERE day > $since_365
    GROUP BY place
)
SELECT
    c.place, c.last_day, c.first_day, c.visits, c.visits_365, c.checks_365, COALESCE(b.bodies_365, 0) AS bodies_365,
    c.fails_730, COALESCE(l.fails_last3, 0) AS fails_last3, COALESCE(l.known_last3, 0) AS known_last3
FROM counted AS c
LEFT JOIN last3 AS l ON l.place = c.place
LEFT JOIN bodies AS b ON b.place = c.place
