"""Two sample rolls and the program that makes them."""
