"""The worker: a parent that receives and claims jobs, and a child process for each of them."""
