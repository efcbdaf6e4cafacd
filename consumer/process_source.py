"""Where the worker gets its job processes from: a template process, or else a new Python."""

import logging
import os
import time

from config.settings import Settings
from consumer.template import ForkedProcess, Process, Template
from shared.importing.job_process import start_job_process
from shared.jobs.claims import Claim

logger = logging.getLogger(__name__)

# After so many forks a new template starts, as Gunicorn's workers do after so many requests.
MAX_FORKS = 1_000
# If a template cannot start or ends, the next one starts after this time.
RESTART_SECONDS = 5.0


def can_fork() -> bool:
    """Whether the system gives file descriptors of processes. Some sandboxes do not."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


class ProcessSource:
    """The template process of a worker, and one process that waits ahead for the next job."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._can_fork = can_fork()
        self._template: Template | None = None
        # Templates that forked often enough, and still have a running job process.
        self._retired: list[Template] = []
        self._ahead: ForkedProcess | None = None
        self._tried_at = -RESTART_SECONDS

    @property
    def templates(self) -> list[Template]:
        """The templates that may have news, for `select`."""
        every = [*self._retired, *([self._template] if self._template else [])]
        return [template for template in every if not template.is_lost]

    def tend(self) -> None:
        """Keep one template and one process ahead, and end what is no longer needed."""
        self._end_retired()
        if self._template is not None:
            self._template.receive()
            self._check(self._template)
        if self._template is None:
            self._start_template()
        elif self._ahead is None and self._template.is_ready:
            self._request_ahead(self._template)

    def _end_retired(self) -> None:
        for template in self._retired[:]:
            template.receive()
            if template.is_idle:
                template.kill()
            if template.is_lost:
                self._retired.remove(template)

    def _check(self, template: Template) -> None:
        """Give up a template that has ended, or that has forked often enough."""
        if template.is_lost:
            logger.warning("template process lost")
        elif template.forks >= MAX_FORKS:
            self._retired.append(template)
            # The next one may start at once.
            self._tried_at = -RESTART_SECONDS
        else:
            return
        self._drop_ahead()
        self._template = None

    def start(self, claim: Claim) -> Process:
        """Start a job process. Raises OSError."""
        template = self._template
        if template is not None:
            template.receive()
            if template.is_ready and not template.is_lost:
                try:
                    return self._fork(template, claim)
                except OSError as error:
                    logger.warning("job process not forked", extra={"reason": str(error)})
        return start_job_process(claim, self._settings, max_attempts=self._settings.max_attempts)

    def stop(self) -> None:
        """End the templates and everything that they have forked."""
        self._drop_ahead()
        for template in self.templates:
            template.kill()
        self._retired.clear()
        self._template = None

    def _start_template(self) -> None:
        if not self._can_fork or time.monotonic() - self._tried_at < RESTART_SECONDS:
            return
        self._tried_at = time.monotonic()
        try:
            self._template = Template(self._settings)
        except OSError as error:
            logger.warning("template process not started", extra={"reason": error.strerror})

    def _fork(self, template: Template, claim: Claim) -> ForkedProcess:
        process = self._ahead or template.request()
        self._ahead = None
        if process.poll() is not None:
            # It ended while it waited.
            process.close()
            process = template.request()
        try:
            template.wait_started(process)
            process.assign(claim)
        except OSError:
            process.kill()
            process.close()
            raise
        self._request_ahead(template)
        return process

    def _request_ahead(self, template: Template) -> None:
        try:
            self._ahead = template.request()
        except OSError as error:
            logger.warning("no process ahead", extra={"reason": error.strerror})

    def _drop_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None
