"""Models on their devices: loaded, chosen for a job, and what they make of faces there."""
