"""Events at the broker: it restarts, hangs, loses messages and delivers them twice."""

import signal
import time
from contextlib import suppress
from random import Random
from uuid import uuid4

from kombu.messaging import Producer

from chaos.scene import Event, Scene
from shared.broker.connection import consumer_connection
from shared.broker.queues import EXCHANGE, QUEUE


def ring_twice(scene: Scene, rng: Random) -> bool:
    """Send a second message for up to five jobs that were accepted."""
    job_ids = list(scene.uploads)
    for job_id in rng.sample(job_ids, min(len(job_ids), 5)):
        scene.doorbell.ring(job_id)
    return bool(job_ids)


def send_nonsense(scene: Scene, rng: Random) -> bool:
    """Send a message with no meaning, of another version, or for a job that does not exist."""
    bodies = ({"version": 1, "job_id": str(uuid4())}, {"version": 99}, ["no", "job"], None)
    with suppress(Exception), consumer_connection(scene.broker_url) as connection:
        Producer(connection.channel()).publish(
            rng.choice(bodies),
            exchange=EXCHANGE,
            routing_key=QUEUE.routing_key,
            declare=[QUEUE],
            serializer="json",
            timeout=2,
        )
        return True
    return False


def purge_queue(scene: Scene, rng: Random) -> bool:
    """Purge the queue, so all waiting messages are lost."""
    with suppress(Exception), consumer_connection(scene.broker_url) as connection:
        connection.channel().queue_purge(QUEUE.name)
        return True
    return False


def restart_node(scene: Scene, rng: Random) -> bool:
    """Stop RabbitMQ with SIGTERM or SIGKILL, and start it again within two seconds."""
    if scene.node is None:
        return False
    scene.node.stop(rng.choice((signal.SIGTERM, signal.SIGKILL)))
    time.sleep(rng.uniform(0.0, 2.0))
    scene.node.start()
    return True


def pause_node(scene: Scene, rng: Random) -> bool:
    """Pause RabbitMQ for one to six seconds. It holds its connections but does not answer."""
    if scene.node is None:
        return False
    scene.node.send(signal.SIGSTOP)
    time.sleep(rng.uniform(1.0, 6.0))
    scene.node.send(signal.SIGCONT)
    return True


def half_a_message(scene: Scene, rng: Random) -> bool:
    """Leave a half-written message file, as if its writer had died (embedded broker)."""
    folder = scene.folder / "broker" / "messages"
    name = f"{int(time.time())}_{uuid4()}.{QUEUE.name}.msg"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text('{"body": "eyJ2ZXJ', encoding="ascii")
    return True


EVENTS = (
    Event("messages delivered twice", ring_twice, 2),
    Event("nonsense delivered", send_nonsense, 1),
    Event("queue purged", purge_queue, 2),
)
NODE_EVENTS = (
    Event("RabbitMQ restarted", restart_node, 1, kills=True),
    Event("RabbitMQ paused", pause_node, 1),
)
EMBEDDED_EVENTS = (Event("half-written message", half_a_message, 1),)
