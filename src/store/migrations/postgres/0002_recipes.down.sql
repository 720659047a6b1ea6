DROP TABLE recipe_runs;
DROP TABLE bakeries;
DROP TABLE feedstocks;
