"""What Wattmark is compared with: each a program that says READY and measures until it is ended."""
