"""What every other package uses and what uses none of them: arguments, arrays, names, messages, files."""
