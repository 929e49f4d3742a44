-- Closed hazards that are still watched, those first that came back before or were closed on weaker proof.
WITH watched AS (
    SELECT
        c.street, c.place_kind, c.class_code, c.cycle, c.no, c.proof, c.ended_on, h.id, h.watch_until,
        CASE c.proof WHEN 'declared' THEN 0 WHEN 'photo' THEN 1 ELSE 2 END AS strength
    FROM cycles_at AS c
    INNER JOIN hazards AS h ON h.hazard = c.hazard AND h.cycle_no = c.no
    WHERE c.ended_on IS NOT NULL AND NOT c.inferred AND h.watch_until >= $as_of
),
numbered AS (
    SELECT *, row_number() OVER (PARTITION BY street ORDER BY no DESC, strength, watch_until, cycle) AS nth
    FROM watched
)
SELECT nth, id, street, place_kind, class_code, no, proof, ended_on, watch_until
FROM numbered
WHERE nth <= $most
ORDER BY street, nth
