-- Which kinds of place have a competent department (行业主管) where, by the mandates in force on the day.
SELECT DISTINCT p.kind, p.industry, p.area_path
FROM (SELECT DISTINCT kind, industry, area_path FROM places WHERE survivor IS NULL) AS p
INNER JOIN mandates AS m
    ON (m.place_kind = '' OR m.place_kind = p.kind)
    AND starts_with(p.industry, m.industry)
    AND starts_with(p.area_path, m.area_path)
WHERE m.role = 'sector_lead'
    AND (m.from_on IS NULL OR m.from_on <= $as_of)
    AND (m.until_on IS NULL OR m.until_on > $as_of)
