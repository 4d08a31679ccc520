"""Where a target's tasks run and leave their results: ``instance = "us-east-1/BUCKET/PREFIX"``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .....core.errors import Invalid, NotFound
from ...settings import GatewaySettings

_INSTANCE = re.compile(
    r"([a-z]{2}(?:-[a-z]+)+-\d)/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/([A-Za-z0-9._/-]*[A-Za-z0-9._-])"
)
_TASK = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TASK_ARN = re.compile(rf"arn:aws[a-z-]*:braket:([a-z0-9-]+):(\d{{12}}):quantum-task/({_TASK})")
_OBJECT = re.compile(rf"({_TASK})/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")


@dataclass(frozen=True, slots=True)
class Place:
    """A region, and the folder of a bucket.

    Attributes:
        region: Of both services.
        bucket: Where results are left.
        prefix: Below which each task has a folder of its own.
    """

    region: str
    bucket: str
    prefix: str

    @classmethod
    def of(cls, settings: GatewaySettings) -> Place:
        """Read it from a target's settings.

        Raises:
            Invalid: ``gateway.instance``.
        """
        found = _INSTANCE.fullmatch(settings.instance)
        if found is None:
            raise Invalid(
                "gateway.instance",
                "The catalogue does not say where this target's tasks run",
                "Its gateway.instance is not of the form region/bucket/prefix.",
                'Set it, such as "us-east-1/amazon-braket-lab/tasks".',
            )
        return cls(*found.groups())

    def task_of(self, bucket: str, key: str) -> str:
        """Return the id of the task that an object belongs to.

        Raises:
            NotFound: ``job.unknown`` for an object of another bucket or outside of a task's folder.
        """
        head, rest = f"{self.prefix}/", key[len(self.prefix) + 1 :]
        found = _OBJECT.fullmatch(rest) if bucket == self.bucket and key.startswith(head) else None
        if found is None or ".." in rest:
            raise unknown_task()
        return found[1]

    def check_task(self, arn: str) -> str:
        """Return an ARN if it is a task's in this region.

        Raises:
            NotFound: ``job.unknown``.
        """
        found = TASK_ARN.fullmatch(arn)
        if found is None or found[1] != self.region:
            raise unknown_task()
        return arn


def unknown_task() -> NotFound:
    """Return the refusal for what is not the holder's, and for what does not exist, alike."""
    return NotFound(
        "job.unknown",
        "There is no such job",
        "It is not one of this grant's.",
        "`qsec jobs` lists those that are yours.",
    )
