DROP TABLE recipe_run_logs;
DROP TABLE recipe_run_attempts;
ALTER TABLE recipe_runs DROP COLUMN check_run_id;
ALTER TABLE recipe_runs DROP COLUMN installation_id;
ALTER TABLE recipe_runs DROP COLUMN feedstock_subdir;
ALTER TABLE recipe_runs DROP COLUMN repo_html_url;
