"""Bytes off the chain: named by CID, kept in a folder, moved over HTTP, hashed before use."""
