"""Everything of Django's and asgiref's that is replaced, and every private name that is used."""
