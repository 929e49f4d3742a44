-- How often each kind of place gives cause, per day under observation: the prior against which a place's own history is weighed.
SELECT
    kind,
    CAST(sum(fails_730 + rebounds_365 + calls_90) + 1 AS DOUBLE)
        / CAST(sum(least(COALESCE(date_diff('day', first_day, $as_of), 0) + 1, 730)) + 730 AS DOUBLE) AS rate
FROM places_at
GROUP BY kind
