"""What runs a net, behind the objects that users type: docs/architecture.md has the way through."""
