"""The only form of what travels: JSON, which makes nothing but plain values.

Pyro5 lets each peer choose among its serializers, and runs that choice before it knows the peer.
Here both sides have one.
"""

from __future__ import annotations

import json
from typing import Any

from jobs.wire.pyro import Pyro5

JSON_ID = Pyro5.serializers.JsonSerializer.serializer_id


class Codec(Pyro5.serializers.JsonSerializer):  # type: ignore[misc]
    """Reads and writes JSON; of Pyro5's classes it makes exceptions only, and those of answers."""

    def dumps(self, data: Any) -> bytes:
        """Return an answer as bytes; names of files need not be Unicode."""
        return json.dumps(data, default=self.default).encode("ascii")

    def dumpsCall(self, obj: Any, method: Any, vargs: Any, kwargs: Any) -> bytes:  # noqa: N802
        """Return a call as bytes."""
        return self.dumps({"object": obj, "method": method, "params": vargs, "kwargs": kwargs})

    def loadsCall(self, data: Any) -> Any:  # noqa: N802
        """Read a call: plain values, whatever they call themselves."""
        call = json.loads(bytes(data))
        return call["object"], call["method"], call["params"], call["kwargs"]

    def loads(self, data: Any) -> Any:
        """Read an answer; an error of the other side becomes an exception.

        Raises:
            SerializeError: The answer is to become something else.
        """
        plain = json.loads(bytes(data))
        if not (isinstance(plain, dict) and plain.get("__exception__") is True):
            return plain
        try:
            made = self.dict_to_class(plain)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Pyro5.errors.SerializeError("an answer that is no error of a call") from error
        if not isinstance(made, Exception):
            raise Pyro5.errors.SerializeError("an answer that is no error of a call")
        return made


def use_json_only() -> None:
    """Leave Pyro5 of this process no other serializer than `Codec`."""
    codec = Codec()
    Pyro5.config.SERIALIZER = "json"
    Pyro5.serializers.serializers.clear()
    Pyro5.serializers.serializers["json"] = codec
    Pyro5.serializers.serializers_by_id.clear()
    Pyro5.serializers.serializers_by_id[JSON_ID] = codec
