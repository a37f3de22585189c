"""Helpers of tests, in one flat room: a test imports them from here, never from another test.

Media and networks with known answers, reports and observations made by hand, ledgers and servers,
processes that may be killed, browsers, and what other programs read in our files.
"""
