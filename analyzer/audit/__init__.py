"""Audits: people label some of the faces, and so tell how wrong the network is on an archive.

In: reports, and the labels of one or two raters. Out: a draw of faces, a page to label them, errors
by group, a table of what the network confuses there, and corrected shares. Used by the command
`audit`; it uses reports, shares and the estimators of samples.
"""
