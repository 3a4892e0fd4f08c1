"""The guided tour that `manage.py demo` gives: each step checks what it shows."""
