"""What apps or sidecars posted to a stand-in for LaunchDarkly's events service, and its sums."""

import collections
import gzip
import json
import time


class Posted:
    """One POST to /bulk or /diagnostic that was answered with 202."""

    def __init__(self, request, body):
        self.path = request.target.partition("?")[0]
        self.headers = request.headers
        self.key = request.header("Authorization")
        self.payload_id = request.header("X-LaunchDarkly-Payload-ID")
        self.schema = request.header("X-LaunchDarkly-Event-Schema")
        self.bytes = len(body)
        self.time = time.monotonic()
        if request.header("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        whole = json.loads(body)
        self.events = whole if isinstance(whole, list) else [whole]

    def __repr__(self):
        return f"{self.path} {self.payload_id} {self.events}"


def once_each(batches):
    """As the vendor counts: a payload id that came before is the same payload again."""
    seen = set()
    kept = []
    for batch in batches:
        if batch.payload_id is None or batch.payload_id not in seen:
            seen.add(batch.payload_id)
            kept.append(batch)
    return kept


def events_of(batches, kind=None):
    return [event for batch in once_each(batches) for event in batch.events
            if kind is None or event.get("kind") == kind]


def summary_counts(batches):
    """(flag, variation, version) → how many evaluations all summaries together tell of; variation
    and version are None where the summary has none."""
    counts = collections.Counter()
    for summary in events_of(batches, "summary"):
        for key, feature in summary["features"].items():
            for counter in feature["counters"]:
                counts[key, counter.get("variation"), counter.get("version")] += counter["count"]
    return dict(counts)


def evaluations(batches):
    """flag → how many evaluations the summaries tell of."""
    counts = collections.Counter()
    for (key, _, _), count in summary_counts(batches).items():
        counts[key] += count
    return dict(counts)


def summary(counts, start=1_000, end=2_000, default=None):
    """A summary event; counts: (flag, variation, version, value) → evaluations."""
    features = {}
    for (key, variation, version, value), count in counts.items():
        feature = features.setdefault(key, {"default": default, "contextKinds": ["user"],
                                            "counters": []})
        counter = {"value": value, "count": count}
        if version is None:
            counter["unknown"] = True
        else:
            counter |= {"variation": variation, "version": version}
        feature["counters"].append(counter)
    return {"kind": "summary", "startDate": start, "endDate": end, "features": features}


def custom(number, key="bought"):
    return {"kind": "custom", "key": key, "creationDate": 1_000 + number,
            "context": {"kind": "user", "key": f"u{number}"}, "data": {"number": number}}
