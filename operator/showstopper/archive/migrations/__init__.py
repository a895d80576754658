"""Migrations: from any earlier form of the database to today's, by Alembic. Each one is written once and stays."""
