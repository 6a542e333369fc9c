"""LaunchDarkly's server SDK for Python as a small app, driven over stdin and stdout, a JSON value a
line (launchdarkly_client.py says what is understood):

    python python_client.py '{"uri": …, "key": …, "mode": "streaming", "flush_interval": …}'
"""

import json
import sys
import threading

import ldclient
from ldclient import Context, datasystem
from ldclient.config import Config

wanted = json.loads(sys.argv[1])
speaking = threading.Lock()


def say(message):
    with speaking:
        print(json.dumps(message), flush=True)


def data_options(mode):
    """How flags come. "polling" is what its documentation means by it, every 30 s at the most
    often; "fdv1-polling" the same requests by the data system's own builder, which polls as
    often as it is told."""
    seconds = wanted.get("poll_interval", 0.2)
    if mode == "streaming":
        return {"stream": True, "initial_reconnect_delay": 0.1}
    if mode == "polling":
        return {"stream": False}
    builders = {
        "fdv1-polling": datasystem.fdv1_fallback_ds_builder().poll_interval(seconds),
        "fdv2": datasystem.streaming_ds_builder().initial_reconnect_delay(0.1),
        "fdv2-polling": datasystem.polling_ds_builder().poll_interval(seconds)}
    if mode == "fdv2-default":  # Polls at first, and again when the stream fails; here more often.
        polls = builders["fdv2-polling"]
        return {"datasystem_config": datasystem.custom().initializers([polls]).synchronizers(
            builders["fdv2"], polls).fdv1_compatible_synchronizer(builders["fdv1-polling"]).build()}
    return {"datasystem_config": datasystem.custom().synchronizers(builders[mode]).build()}


client = ldclient.LDClient(
    Config(wanted["key"], base_uri=wanted["uri"], stream_uri=wanted["uri"],
           events_uri=wanted["uri"], send_events=wanted.get("events", True),
           flush_interval=wanted.get("flush_interval", 600),
           diagnostic_opt_out=not wanted.get("diagnostics", False),
           diagnostic_recording_interval=wanted.get("diagnostic_interval", 900),
           **data_options(wanted.get("mode", "streaming"))),
    start_wait=wanted.get("start_wait", 30))
client.flag_tracker.add_listener(lambda change: say({"event": "changed", "key": change.key}))
client.data_source_status_provider.add_listener(
    lambda status: say({"event": "status", "state": status.state.name}))
say({"event": "started", "initialized": client.is_initialized()})


def context_of(command):
    return Context.from_dict(command.get("context") or {"kind": "user", "key": "anybody"})


def variation(command):
    detail = client.variation_detail(command["key"], context_of(command), command.get("fallback"))
    return {"value": detail.value, "variation": detail.variation_index, "reason": detail.reason}


def values(command):
    return client.all_flags_state(context_of(command)).to_values_map()


def track(command):
    client.track(command["key"], context_of(command), command.get("data"), command.get("metric"))


def repeat(command):
    """So many evaluations of one flag without an answer each."""
    for _ in range(command["count"]):
        client.variation(command["key"], context_of(command), command.get("fallback"))


COMMANDS = {"variation": variation, "values": values, "track": track, "repeat": repeat,
            "identify": lambda command: client.identify(context_of(command)),
            "flush": lambda command: client.flush(),
            "initialized": lambda command: client.is_initialized()}

for line in sys.stdin:
    given = json.loads(line)
    say({"details": COMMANDS[given["do"]](given)})
client.close()
