"""Where a simulation comes to be seen."""
