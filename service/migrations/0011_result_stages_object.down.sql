ALTER TABLE results DROP CONSTRAINT results_stages_object;
