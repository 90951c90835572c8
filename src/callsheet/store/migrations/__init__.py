"""How the schema came to be, step by step, for both databases; `callsheet.store.migrate` walks them."""
