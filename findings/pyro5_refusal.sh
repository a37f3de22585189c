#!/usr/bin/env bash
# Guess: a Pyro5 server answers in the serializer of the request: a client that speaks JSON, and has had
# marshal taken away, can read why it was turned away.
# Seen: where all threads are taken, the refusal comes in marshal whatever the client speaks; a refused
# handshake otherwise comes in the client's own.
# Version: Pyro5 5.15 and 5.17.
# Source: https://github.com/irmen/Pyro5/blob/master/Pyro5/server.py
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}
cat >"$folder/show.py" <<'P'
import threading

import Pyro5.api
import Pyro5.core
import Pyro5.protocol
import Pyro5.serializers
import Pyro5.server
import Pyro5.socketutil

NAMES = {s.serializer_id: n for n, s in Pyro5.serializers.serializers.items()}


class Strict(Pyro5.server.Daemon):
    def validateHandshake(self, conn, data):
        if data != "welcome":
            raise ValueError("not welcome")
        return "hello"


def answer(location, text):
    """Say hello in JSON; return the serializer of the answer, its text, and the connection."""
    json = Pyro5.serializers.serializers["json"]
    data = json.dumps({"handshake": text, "object": Pyro5.core.DAEMON_NAME})
    message = Pyro5.protocol.SendingMessage(
        Pyro5.protocol.MSG_CONNECT, 0, 1, json.serializer_id, data
    )
    sock = Pyro5.socketutil.create_socket(connect=location, timeout=10)
    connection = Pyro5.socketutil.SocketConnection(sock)
    connection.send(message.data)
    reply = Pyro5.protocol.recv_stub(connection)
    said = Pyro5.serializers.serializers_by_id[reply.serializer_id].loads(reply.data)
    return NAMES[reply.serializer_id], str(said), connection


Pyro5.config.THREADPOOL_SIZE = 1
Pyro5.config.THREADPOOL_SIZE_MIN = 1
Pyro5.config.SERVERTYPE = "thread"
def ask(*texts):
    """Say hello to a server with one thread, in several connections; return the last answer."""
    with Strict(host="127.0.0.1") as daemon:
        threading.Thread(target=daemon.requestLoop, daemon=True).start()
        host, _, port = daemon.locationStr.partition(":")
        answers = [answer((host, int(port)), text) for text in texts]
        daemon.shutdown()
        return answers[-1]


print("accepted:", ask("welcome")[0])
print("refused by its handshake:", ask("stranger")[0])
serializer, why, _ = ask("welcome", "welcome")
print("no thread is free:", serializer, "(" + why[:40] + ")")
P
failed=0
for version in 5.15 5.17; do
    "$python" -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install -q --disable-pip-version-check "Pyro5==$version"
    seen=$(cd "$folder" && timeout 60 "$folder/$version/bin/python" show.py)
    echo "Pyro5 $version, the client speaks JSON:"
    echo "$seen"
    [[ $(tr '\n' ';' <<<"$seen") == "accepted: json;refused by its handshake: json;no thread is free: marshal"* ]] || failed=1
done
exit $failed
