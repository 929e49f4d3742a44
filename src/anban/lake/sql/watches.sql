-- Closed hazards that are still watched, those first that came back before or were closed on weaker proof.
WITH watched AS (
    SELECT
        street, place_kind, class_code, cycle, hazard, no, proof, ended_on, watch_until,
        CASE proof WHEN 'declared' THEN 0 WHEN 'photo' THEN 1 ELSE 2 END AS strength
    FROM cycles_at
    WHERE ended_on IS NOT NULL AND NOT inferred AND no = last_no AND watch_until >= $as_of
),
numbered AS (
    SELECT *, row_number() OVER (PARTITION BY street ORDER BY no DESC, strength, watch_until, cycle) AS nth
    FROM watched
)
SELECT n.nth, h.id, n.street, n.place_kind, n.class_code, n.no, n.proof, n.ended_on, n.watch_until
FROM numbered AS n
INNER JOIN hazards AS h ON h.hazard = n.hazard
WHERE n.nth <= $most
ORDER BY n.street, n.nth
