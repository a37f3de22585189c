"""What answers teach: who may be one, and which threshold suits an archive."""
