-- One row for each place that counts on the day, with everything that visits, ledger and mandates say of it.
SELECT
    p.place, p.id, p.kind, p.street, p.area_path, p.overview_code,
    COALESCE(k.high_risk, FALSE) AS high_risk,
    v.last_day, v.first_day, h.oldest_due,
    date_diff('day', v.last_day, $as_of) AS days_unseen,
    COALESCE(v.visits, 0) AS visits,
    COALESCE(v.visits_365, 0) AS visits_365,
    COALESCE(v.checks_365, 0) AS checks_365,
    COALESCE(v.bodies_365, 0) AS bodies_365,
    COALESCE(v.fails_730, 0) AS fails_730,
    COALESCE(v.fails_last3, 0) AS fails_last3,
    COALESCE(v.known_last3, 0) AS known_last3,
    COALESCE(h.open_now, 0) AS open_now,
    COALESCE(h.overdue_now, 0) AS overdue_now,
    COALESCE(h.major_now, 0) AS major_now,
    COALESCE(h.found_365, 0) AS found_365,
    COALESCE(h.rebounds_365, 0) AS rebounds_365,
    COALESCE(h.repeats_365, 0) AS repeats_365,
    COALESCE(h.calls_90, 0) AS calls_90,
    l.kind IS NULL AS no_lead,
    u.kind IS NOT NULL AS unsettled
FROM places AS p
LEFT JOIN visit_facts AS v ON v.place = p.place
LEFT JOIN hazard_facts AS h ON h.place = p.place
LEFT JOIN leads AS l ON l.kind = p.kind AND l.industry = p.industry AND l.area_path = p.area_path
LEFT JOIN unsettled AS u ON u.kind = p.kind AND u.industry = p.industry AND u.area_path = p.area_path
LEFT JOIN (
    SELECT code, bool_or(high_risk) AS high_risk
    FROM place_kinds
    WHERE (from_on IS NULL OR from_on <= $as_of) AND (until_on IS NULL OR until_on > $as_of)
    GROUP BY code
) AS k ON k.code = p.kind
WHERE p.survivor IS NULL
    AND (p.status <> 'closed' OR p.status_on > $as_of)
    -- A place that came in later counts when something is known of it from before.
    AND (p.registered_on <= $as_of OR v.place IS NOT NULL OR h.place IS NOT NULL)
