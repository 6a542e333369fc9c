"""How much more two serving threads answer than one. Each has a core, and so has each of two clients: with
less than four cores nothing is measured."""

import statistics

import flag_set
from http_probe import SINGLE_PATH, evaluation_request

CONNECTIONS = 32  # of each client
CORES_NEEDED = 4


def threads(bench):
    cores = sorted(bench.all_cores)
    if len(cores) < CORES_NEEDED:
        return {"not_measured": f"{len(cores)} cores, {CORES_NEEDED} are needed"}
    per_second = {count: statistics.median(requests_per_second(bench, count, cores)
                                           for _ in range(bench.repeats)) for count in (1, 2)}
    return {"one": per_second[1], "two": per_second[2], "gain": per_second[2] / per_second[1]}


def requests_per_second(bench, count, cores):
    request = evaluation_request(SINGLE_PATH + flag_set.ASKED_FLAG)
    daemon = bench.daemon(bench.flags_uri(bench.sizes[0]), options=("--serving-threads", str(count)))
    daemon.cores = {cores[0], cores[2]}
    with daemon:
        daemon.wait_until_ready()
        clients = [bench.begin_load(daemon, daemon.tcp, request, CONNECTIONS, core=core)
                   for core in (cores[1], cores[3])]
        return sum(bench.end_load(daemon, client)["requests_per_second"] for client in clients)
