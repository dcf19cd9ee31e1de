"""Scores of products against observations, computed from the files alone.

Usage: scores.py OBSERVATIONS_GLOB FORECAST_TEMPLATE PRODUCT...
Prints JSON: raw and calibrated CRPS (of the members as they are, and fair), spread
and error. It shares no code with the program that it checks.
"""
import glob
import json
import sys

import netCDF4
import numpy as np


def text(a):
    return [b"".join(np.ma.filled(r, b"")).decode().strip("\0 ") for r in a]


def observations(pattern):
    table = {}
    for path in sorted(glob.glob(pattern)):
        with netCDF4.Dataset(path) as d:
            ids, times = text(d["station_id"][:]), d["time"][:]
            values = d["t2m"][:].filled(np.nan)
            for i, t in enumerate(times):
                for j, s in enumerate(ids):
                    if np.isfinite(values[i, j]):
                        table[int(t), s] = float(values[i, j])
    return table


def scores(cases):
    crps = fair = spread = error = 0.0
    for y, x in cases:
        m = len(x)
        pairs = np.abs(x[:, None] - x[None, :]).sum()
        near = np.abs(x - y).mean()
        crps += near - pairs / (2 * m * m)
        fair += near - pairs / (2 * m * (m - 1))
        spread += x.var(ddof=1)
        error += (x.mean() - y) ** 2
    n = len(cases)
    return {"crps": crps / n, "crps_fair": fair / n, "spread": (spread / n) ** 0.5, "rmse": (error / n) ** 0.5}


def main():
    observed = observations(sys.argv[1])
    raw, calibrated = [], []
    for product in sys.argv[3:]:
        with netCDF4.Dataset(product) as d:
            ids, valid = text(d["station_id"][:]), int(d["time"][0])
            cycle = netCDF4.num2date(int(d["forecast_reference_time"][...]), "seconds since 1970-01-01")
            members = {s: d["t2m"][0, :, i].filled(np.nan).astype(float) for i, s in enumerate(ids)}
        with netCDF4.Dataset(cycle.strftime(sys.argv[2])) as d:
            for i, s in enumerate(text(d["station_id"][:])):
                if (valid, s) in observed:
                    raw.append((observed[valid, s], d["t2m"][:, 0, i].filled(np.nan).astype(float)))
                    calibrated.append((observed[valid, s], members[s]))
    print(json.dumps({"cases": len(raw), "raw": scores(raw), "calibrated": scores(calibrated)}))


main()
