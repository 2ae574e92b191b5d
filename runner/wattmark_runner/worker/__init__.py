"""The child process that holds the framework; nothing else imports one."""
