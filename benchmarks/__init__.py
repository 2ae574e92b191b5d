"""What Wattmark costs, beside what others cost. Reports; judges no build."""
