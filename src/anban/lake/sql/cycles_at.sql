-- Rounds of hazards as they stood on the day: what ended later was still open. What proved unfounded or a double is no hazard.
SELECT
    COALESCE(a.survivor, c.place) AS place, c.cycle, c.hazard, c.no, c.street, c.place_kind, c.class_code, c.code, c.grade,
    c.origin, c.found_on, c.due_on, c.inferred, c.last_no, c.watch_until,
    CASE WHEN c.ended_on <= $as_of THEN c.ended_on END AS ended_on,
    CASE WHEN c.ended_on <= $as_of THEN c.proof ELSE '' END AS proof,
    CASE WHEN c.ended_on <= $as_of THEN c.acceptor END AS acceptor
FROM cycles AS c
LEFT JOIN absorbed AS a ON a.place = c.place
WHERE c.found_on <= $as_of AND c.state NOT IN ('not_founded', 'merged')
