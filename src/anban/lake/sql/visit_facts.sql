-- What visits say of each place: when it was last seen, how often, and how the last three with a known result ended.
WITH numbered AS (
    SELECT
        place, day, kind, result, body,
        CASE WHEN result = 'unknown' THEN NULL ELSE
            row_number() OVER (
                PARTITION BY place, CASE WHEN result = 'unknown' THEN 1 ELSE 0 END ORDER BY day DESC, visit DESC
            )
        END AS nth
    FROM visits_at
)
SELECT
    place,
    max(day) AS last_day,
    min(day) AS first_day,
    count(*) AS visits,
    count(*) FILTER (WHERE day > $since_365) AS visits_365,
    count(*) FILTER (WHERE day > $since_365 AND kind IN ('enforcement', 'routine')) AS checks_365,
    count(DISTINCT CASE WHEN day > $since_365 THEN body END) AS bodies_365,
    count(*) FILTER (WHERE day > $since_730 AND result = 'fail') AS fails_730,
    count(*) FILTER (WHERE nth <= 3 AND result = 'fail') AS fails_last3,
    count(*) FILTER (WHERE nth <= 3) AS known_last3
FROM numbered
GROUP BY place
