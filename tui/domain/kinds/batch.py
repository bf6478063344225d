"""Jobs and CronJobs."""

from __future__ import annotations

import msgspec

from tui.domain import when
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Facts, Health, Kind, Value
from tui.domain.kinds.pods import Condition
from tui.domain.obj import Object


class _Struct(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


class _JobSpec(_Struct, frozen=True, gc=False):
    completions: int | None = None
    parallelism: int | None = None
    suspend: bool = False


class _JobStatus(_Struct, frozen=True, gc=False):
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    start_time: str | None = None
    completion_time: str | None = None
    conditions: tuple[Condition, ...] | None = None


class Job(Object, frozen=True, gc=False):
    """The record of a Job's row."""

    spec: _JobSpec = _JobSpec()
    status: _JobStatus = _JobStatus()


def job_health(job: Job) -> Health:
    """Argo CD's rule for a Job: Failed, else suspended, else done, else Progressing."""
    held = {each.type: each for each in job.status.conditions or ()}
    failed, complete, suspended = held.get("Failed"), held.get("Complete"), held.get("Suspended")
    if failed is not None:
        return Health("Degraded", failed.message)
    if suspended is not None and suspended.status == "True":
        return Health("Suspended", suspended.message)
    if complete is not None or suspended is not None:
        return Health("Healthy", (complete or suspended or Condition()).message)
    return Health("Progressing", "Job is in progress")


def job_status(job: Job) -> str:
    """One word as kubectl's STATUS: Complete, Failed, Suspended, Terminating, Running."""
    held = {each.type for each in job.status.conditions or () if each.status == "True"}
    for word in ("Complete", "Failed"):
        if word in held:
            return word
    if job.metadata.deletion_timestamp:
        return "Terminating"
    return "Suspended" if "Suspended" in held else "Running"


def _completions(job: Job) -> str:
    if job.spec.completions is not None:
        return f"{job.status.succeeded}/{job.spec.completions}"
    return f"{job.status.succeeded}/1" + (f" of {job.spec.parallelism}" if (job.spec.parallelism or 0) > 1 else "")


def _duration(job: Job) -> Value:
    start, end = when.seconds(job.status.start_time), when.seconds(job.status.completion_time)
    return when.age(end - start) if start is not None and end is not None else ""


def _show_job(value: Value, now: float) -> Cell:
    return Cell("◌ Running", c.WORDS["Progressing"][1]) if value == "Running" else c.show_state(value, now)


JOBS = Kind(
    plural="jobs",
    kind="Job",
    group="batch",
    record=Job,
    health=job_health,
    state=lambda obj, facts: _show_job(job_status(obj), facts.now),
    columns=c.namespaced(
        c.of("status", "STATUS", job_status, _show_job, 12),
        c.of("completions", "COMPLETIONS", _completions, width=11, right=True, sort=c.share),
        c.of("duration", "DURATION", _duration, c.show_muted, 8, right=True),
        c.of("message", "MESSAGE", lambda job: " ".join(job_health(job).message.split()), c.show_muted, 40, wide=True),
    ),
)


class _CronSpec(_Struct, frozen=True, gc=False):
    schedule: str = ""
    time_zone: str = ""
    suspend: bool = False


class _Reference(_Struct, frozen=True, gc=False):
    name: str = ""


class _CronStatus(_Struct, frozen=True, gc=False):
    active: tuple[_Reference, ...] | None = None
    last_schedule_time: str | None = None
    last_successful_time: str | None = None


class CronJob(Object, frozen=True, gc=False):
    """The record of a CronJob's row."""

    spec: _CronSpec = _CronSpec()
    status: _CronStatus | None = None


def cronjob_health(cron: CronJob) -> Health:
    """Argo CD's rule: suspended is Healthy; a last run that did not succeed and is over is Degraded."""
    if cron.spec.suspend:
        return Health("Healthy", "CronJob is suspended")
    if cron.status is None or cron.status == _CronStatus():
        return Health("Progressing", "CronJob has not been scheduled yet")
    scheduled, succeeded = when.seconds(cron.status.last_schedule_time), when.seconds(cron.status.last_successful_time)
    if scheduled is None or (succeeded is not None and succeeded >= scheduled):
        return Health("Healthy")
    if cron.status.active:
        return Health("Progressing", f"{len(cron.status.active)} jobs are running")
    return Health("Degraded", "CronJob has not completed its last execution successfully")


def _cron_state(cron: CronJob, facts: Facts) -> Cell:
    return c.state_cell("Suspended" if cron.spec.suspend else cronjob_health(cron).status)


CRONJOBS = Kind(
    plural="cronjobs",
    kind="CronJob",
    group="batch",
    short=("cj",),
    record=CronJob,
    health=cronjob_health,
    state=_cron_state,
    columns=c.namespaced(
        c.of("schedule", "SCHEDULE", lambda obj: obj.spec.schedule, width=16),
        c.of("zone", "TIMEZONE", lambda obj: obj.spec.time_zone, c.show_muted, 14, wide=True),
        c.of(
            "suspended",
            "SUSPENDED",
            lambda obj: obj.spec.suspend,
            lambda v, now: c.state_cell("Suspended" if v else "Active"),
        ),
        c.of(
            "active", "ACTIVE", lambda obj: len((obj.status or _CronStatus()).active or ()), c.show_count, 6, right=True
        ),
        c.of(
            "last",
            "LAST",
            lambda o: when.seconds((o.status or _CronStatus()).last_schedule_time),
            c.show_since,
            7,
            time=True,
        ),
    ),
)

KINDS = (JOBS, CRONJOBS)
