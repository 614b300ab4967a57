"""A session's two processes on the node of a job: held there by an outpost, and reached through the job's door."""
