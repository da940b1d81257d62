"""The settings of the devices that networks run on."""

from __future__ import annotations

import re

from pydantic import BaseModel, Field, field_validator

AUTO = "auto"
_NAME = re.compile(r"(cpu|cuda)(?::(0|[1-9]\d?))?", re.ASCII)


class DeviceSettings(BaseModel):
    devices: str = Field(
        AUTO,
        description="Devices that networks run on, each with its own weights, as cuda:0,cuda:2, or"
        " cpu; auto: every GPU, or the CPU where there is none",
    )

    @field_validator("devices")
    @classmethod
    def _each_device_once(cls, value: str) -> str:
        if value.strip() in ("", AUTO):
            return AUTO
        names = [name.strip() for name in value.split(",")]
        found = [_NAME.fullmatch(name) for name in names]
        known = [(match[1], int(match[2] or 0)) for match in found if match]
        if len(known) < len(names) or len(set(known)) < len(known):
            raise ValueError("must be auto, or names of different devices, as cuda:0,cuda:1 or cpu")
        return ",".join("cuda:0" if name == "cuda" else name for name in names)

    @property
    def device_names(self) -> tuple[str, ...]:
        """Empty: what there is decides."""
        return () if self.devices == AUTO else tuple(self.devices.split(","))
