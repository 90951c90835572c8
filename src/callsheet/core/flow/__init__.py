"""Experience flows: conversations as documents of the Flow Interoperability Specification 1.0 (floip.gitbook.io).

`document.py` reads a document, `check.py` finds what is wrong with one, `step.py` takes a session one step further:
`step(container, session, given) -> session, effects, visits`. Nothing here does anything, or asks the time.
`blocks/` has a file for each kind of block, `expression/` the language of tests and texts.
"""
