"""The worker process: reads a job, runs it on Aer and writes the result as the client reads it."""
