#!/bin/sh
# Render joins no values into one: the address of the private RabbitMQ is put together here, its
# generated password quoted, since that holds signs which mean something in a URL.
set -eu
password=$(python -c 'import os, urllib.parse as u; print(u.quote(os.environ["RABBITMQ_DEFAULT_PASS"], ""))')
export BROKER_URL="amqp://$RABBITMQ_DEFAULT_USER:$password@$RABBITMQ_HOST:5672/"
exec "$@"
