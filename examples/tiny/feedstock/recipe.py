"""Eight days of a made-up sea surface temperature, stored as Zarr."""

import apache_beam as beam
import numpy as np
import pandas as pd
import xarray as xr
from pangeo_forge_recipes.patterns import ConcatDim, FilePattern
from pangeo_forge_recipes.transforms import StoreToZarr

DAYS = 8


def name(time):
    """What would be the address of an input."""
    return f"day-{time}"


def dataset(item):
    """One day, as if it had been opened."""
    index, day = item
    number = int(day.rsplit("-", 1)[1])
    field = 15 + 5 * np.sin(number) + np.zeros((1, 2, 3))
    time = pd.date_range("2020-01-01", periods=DAYS)[number : number + 1]
    coords = {"time": time, "lat": [0.0, 1.0], "lon": [0.0, 1.0, 2.0]}
    return index, xr.Dataset({"sst": (("time", "lat", "lon"), field)}, coords=coords)


pattern = FilePattern(name, ConcatDim("time", keys=list(range(DAYS)), nitems_per_file=1))

# `beam.Create(pattern.items())` in exactly this form: `--prune` looks for it. The bakery's place is
# the dataset itself, so the store has no name of its own.
tiny = (
    beam.Create(pattern.items())
    | beam.Map(dataset)
    | StoreToZarr(store_name="", combine_dims=pattern.combine_dim_keys)
)
