"""The rules of worksets: values and transitions, with no I/O and no clock."""
