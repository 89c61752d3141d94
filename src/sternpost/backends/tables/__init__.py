"""The relational store over SQLAlchemy: connections and schema versions; no capability's SQL."""
