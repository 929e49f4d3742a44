-- Which kinds of place lie in a hole or a seam of the net (责任界面) that nobody has settled by the day; those of one hazard class alone are
-- on the net's own pages.
SELECT DISTINCT p.kind, p.industry, p.area_path
FROM (SELECT DISTINCT kind, industry, area_path FROM places WHERE survivor IS NULL) AS p
INNER JOIN boundaries AS b
    ON (b.place_kind = '' OR b.place_kind = p.kind)
    AND starts_with(p.industry, b.industry)
    AND starts_with(p.area_path, b.area_path)
WHERE b.hazard_class = ''
    AND b.found_on <= $as_of
    AND (b.ended_on IS NULL OR b.ended_on > $as_of)
