"""Shares of screen time by perceived sex, age and ethnicity, with what is known of their error.

In: reports. Out: shares, each observed, corrected for the network's confusions, and with an
interval. Used by exporters; it uses the attribute heads.
"""
