"""What integrators test with: contracts of ports, faults, schedules, strategies."""

from daylily.extras import needs

needs("testing", "hypothesis", "pytest")
