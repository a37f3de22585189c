"""The network: Pyro5 transport, access tokens, certificates.

In: host, port, token, certificates. Out: daemons and proxies.
"""
