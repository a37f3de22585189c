"""What the demo runs on: media that are made, and the truth about them."""
