DROP TABLE job_trace;
