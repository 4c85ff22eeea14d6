"""Clients of the API for other languages and processes, and the script that generates them."""
