-- The transparent score: how likely something serious is hidden now, and the index that weighs consequence and time since seen.
-- Where the city's own order was learned (lake/ordering.py), its chance, index and reasons stand instead.
-- Events come at a rate drawn towards the kind's own (gamma prior of shape 0.8); index: W = c((1 - exp(-rt))/r - t exp(-rt)).
WITH rated AS (
    SELECT
        p.place,
        (8e-1 + p.fails_730 + p.rebounds_365 + p.calls_90)
            / (8e-1 / r.rate + least(COALESCE(date_diff('day', p.first_day, $as_of), 0) + 1, 730)) AS daily,
        CAST(least(greatest(COALESCE(p.days_unseen, 730), 0), 730) AS DOUBLE) AS unseen,
        CASE WHEN p.high_risk THEN 3e0 ELSE 1e0 END AS consequence
    FROM places_at AS p
    INNER JOIN rates AS r ON r.kind = p.kind
)
SELECT
    r.place, r.daily, r.unseen, r.consequence,
    COALESCE(l.chance, 1e0 - exp(-r.daily * r.unseen)) AS chance,
    COALESCE(
        l.index_value, r.consequence * ((1e0 - exp(-r.daily * r.unseen)) / r.daily - r.unseen * exp(-r.daily * r.unseen))
    ) AS index_value,
    l.reasons
FROM rated AS r
LEFT JOIN learned AS l ON l.place = r.place
