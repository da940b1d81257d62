"""Words in their forms, numbers in words, and which case is asked for."""
