"""Every setting, read from the environment in this one place."""

from app_core.config.config import ROOT, VERSION, Config, ConfigError

__all__ = ["ROOT", "VERSION", "Config", "ConfigError"]
