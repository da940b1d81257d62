"""A session over WebRTC: peers, their tracks, and one clock for both."""
