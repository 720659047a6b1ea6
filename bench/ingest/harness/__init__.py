"""The side-by-side ingest benchmark; see the README beside `run`."""
