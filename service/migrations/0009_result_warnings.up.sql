-- Codes of what a user should know about a result, such as UNLIKE_TRAINING_DATA; null where there are none.
ALTER TABLE results ADD COLUMN warnings text[];
