"""From upload to webhook call, in the processes of the Procfile."""

import json
from pathlib import Path

from consumer.webhook.call import headers_of
from tests.support.receiver import Receiver
from tests.support.running import running_service, wait_for

SECRET = "qP7_vT2xKd9wLr4bVnE8hYcJ0pGsUa5F"


def test_a_finished_upload_is_sent_as_the_api_shows_it(tmp_path: Path) -> None:
    with (
        Receiver().open() as receiver,
        running_service(
            tmp_path,
            WEBHOOK_URL=f"http://127.0.0.1:{receiver.port}/roll",
            WEBHOOK_SECRET=SECRET,
            WEBHOOK_ALLOW_PRIVATE="1",
        ) as service,
    ):
        shown = service.imported(b"student_id,email\n1,ann@x.edu\n2,\n")
        wait_for(lambda: receiver.calls, "nobody was told")
        [(path, headers, body)] = receiver.calls
        assert path == "/roll"
        assert json.loads(body) == shown
        assert b"ann@x.edu" not in body
        assert (
            headers["webhook-signature"]
            == headers_of(
                body,
                call_id=shown["task_id"],
                timestamp=int(headers["webhook-timestamp"]),
                secret=SECRET,
            )["webhook-signature"]
        )
