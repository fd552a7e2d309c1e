"""What can be typed after `wanliu`: options and help of each command, which imports what it needs when it runs."""
