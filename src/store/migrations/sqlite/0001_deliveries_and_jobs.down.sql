DROP TABLE jobs;
DROP TABLE delivery_attempts;
DROP TABLE deliveries;
