"""What one client may take of the server."""

from app_core.shares.request_rate import RequestRate, request_rate_of, requests_min
from app_core.shares.shares import Holding, Share, Shares, shares_of

__all__ = [
    "Holding",
    "RequestRate",
    "Share",
    "Shares",
    "request_rate_of",
    "requests_min",
    "shares_of",
]
