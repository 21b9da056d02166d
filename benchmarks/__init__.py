"""What mlodsl is measured by; not shipped with the package."""
