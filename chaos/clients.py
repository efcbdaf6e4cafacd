"""Threads that upload roll files until they are stopped."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from random import Random
from uuid import UUID, uuid4

from chaos.rolls import RollFile, make_roll
from chaos.scene import Scene

ANSWER_SECONDS = 20
THREADS = 3


class Clients:
    """Clients that send each file once. A file counts as accepted only after its 202 arrives."""

    def __init__(self, scene: Scene, url: str, token: str, seed: int) -> None:
        self._scene = scene
        self._url = url
        self._token = token
        self._seed = seed
        self._next = 0
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._upload, args=(Random(f"client {seed}/{number}"),))
            for number in range(THREADS)
        ]

    def start(self, has_room: Callable[[], bool]) -> None:
        """Upload while `has_room` returns True."""
        self._has_room = has_room
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the current uploads."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _upload(self, rng: Random) -> None:
        while not self._end.wait(rng.uniform(0.2, 1.5)):
            if self._has_room():
                with self._lock:
                    self._next += 1
                    number = self._next
                self.send(make_roll(self._seed, number))

    def send(self, file: RollFile) -> None:
        """Upload a file and record the answer."""
        asked_at = time.monotonic()
        outcome = "unanswered"
        try:
            with urllib.request.urlopen(self._request(file), timeout=ANSWER_SECONDS) as answer:
                self._scene.uploads[UUID(json.load(answer)["task_id"])] = file.number
                outcome = str(answer.status)
        except urllib.error.HTTPError as error:
            outcome = str(error.code)
            error.close()
        except (OSError, ValueError):
            # The connection broke, so it is unknown whether the service accepted the file.
            time.sleep(0.3)
        with self._lock:
            self._scene.answers[outcome] += 1
            if outcome == "202":
                self._scene.slowest_answer_seconds = max(
                    self._scene.slowest_answer_seconds, time.monotonic() - asked_at
                )

    def _request(self, file: RollFile) -> urllib.request.Request:
        boundary = uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file";'
            f' filename="{file.name}"\r\nContent-Type: text/csv\r\n\r\n'
        )
        return urllib.request.Request(
            f"{self._url}/api/upload/",
            data=head.encode() + file.content + f"\r\n--{boundary}--\r\n".encode(),
            headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "Authorization": f"Bearer {self._token}",
            },
        )
