"""Two recipes over a made-up sea surface temperature."""

import json
import math
import os

import apache_beam as beam

OUT = os.environ.get("DEMO_OUT", "out")
DAYS = 365


def temperature(day):
    """One day's mean in degrees Celsius: a year's wave around 15."""
    return {"day": day, "sst": round(15 + 5 * math.sin(2 * math.pi * day / DAYS), 3)}


def by_month(row):
    return min(row["day"] * 12 // DAYS, 11), row["sst"]


def as_row(month):
    number, values = month
    values = list(values)
    return {"month": number + 1, "sst": round(sum(values) / len(values), 3)}


def write(name):
    return beam.io.WriteToText(os.path.join(OUT, name), file_name_suffix=".jsonl", num_shards=1)


# `list(...)` and not a literal: the runner rewrites calls in this module and trips over literals.
daily = beam.Create(list(range(DAYS))) | beam.Map(temperature) | beam.Map(json.dumps) | write("sst-daily")

climatology = (
    beam.Create(list(range(DAYS)))
    | beam.Map(temperature)
    | beam.Map(by_month)
    | beam.GroupByKey()
    | beam.Map(as_row)
    | beam.Map(json.dumps)
    | write("sst-climatology")
)
