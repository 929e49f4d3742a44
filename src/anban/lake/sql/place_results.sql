-- Every place with its facts, its score and the lists it stands on; each figure of the risk page counts one of these columns.
SELECT
    p.*, s.daily, s.chance, s.index_value, s.reasons,
    p.last_day IS NULL AS is_never_seen,
    COALESCE(p.days_unseen > 365, FALSE) AS is_stale,
    p.overdue_now > 0 AS is_overdue,
    p.rebounds_365 > 0 AS is_rebound,
    p.repeats_365 > 0 AS is_repeat,
    p.known_last3 = 3 AND p.fails_last3 = 3 AS is_failing,
    p.checks_365 > 4 AS is_burdened,
    p.no_lead AS is_unled,
    p.unsettled AS is_unsettled,
    COALESCE(l.is_first_tenth, FALSE) AS is_first_tenth,
    COALESCE(l.is_drawn, FALSE) AS is_drawn,
    l.lot
FROM places_at AS p
INNER JOIN scores AS s ON s.place = p.place
LEFT JOIN lots AS l ON l.place = p.place
ORDER BY p.street, s.index_value DESC, p.place
