"""A page in the browser that shows how a joblist goes; docs/dashboard.md says how it is used."""
