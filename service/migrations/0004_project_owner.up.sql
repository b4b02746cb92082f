-- The name of the key that created a project. Projects from before have it where the audit still knows, else null.
ALTER TABLE projects ADD COLUMN created_by text;
UPDATE projects p SET created_by = a.key_name
FROM audit a WHERE a.action = 'POST /api/projects' AND a.target_id = p.id::text;
