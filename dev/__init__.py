"""What `make run` needs beside the service itself."""
