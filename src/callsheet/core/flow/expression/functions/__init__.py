"""The functions of expressions, a file for each subject, and the table of all of them."""
