-- stages that were written as the text of their JSON
UPDATE results SET stages = (stages #>> '{}')::jsonb WHERE jsonb_typeof(stages) = 'string';
ALTER TABLE results ADD CONSTRAINT results_stages_object CHECK (jsonb_typeof(stages) = 'object');
