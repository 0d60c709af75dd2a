# Asked of the program itself, so that it is never out of date.
storyline completions fish | source
