"""The gateway's and the studio's commands, one a file."""
