"""Tools for AI agents over the Model Context Protocol, made of the routes of the API."""
