"""Report: what came of a run or a game day, as HTML, Markdown, JUnit and JSON. Pure: a record in, a text out."""
