"""Two sample files and the program that makes them."""
