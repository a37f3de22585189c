"""Everybody of an archive: the persons of many media become identities, counted over all."""
