"""Scores computed a second time, from the definitions, with numpy.

Reads cases as JSON from standard input: {"threshold": t, "cases": [[day, lead,
station, observation, [members of system 0], [members of system 1]], ...]}, null
being missing. Writes the figures of each system and the skill of the second.
"""
import json
import sys

import numpy as np

data = json.load(sys.stdin)
t = data["threshold"]
number = lambda v: np.nan if v is None else float(v)
cases = []
for day, lead, station, y, *systems in data["cases"]:
    x = [np.array([number(v) for v in s], dtype=float) for s in systems]
    x = [v[~np.isnan(v)] for v in x]
    if not np.isnan(number(y)) and all(len(v) for v in x):
        cases.append((day, lead, station, float(y), x))

out = {"cases": len(cases), "systems": []}
fair_all = []
for k in range(2):
    crps, fair, var, infl, err, brier, brier_fair = [], [], [], [], [], [], []
    for _, _, _, y, x in cases:
        x = x[k]
        m = len(x)
        pairs = np.abs(x[:, None] - x[None, :]).sum()
        crps.append(np.abs(x - y).mean() - pairs / (2 * m * m))
        fair.append(np.abs(x - y).mean() - pairs / (2 * m * (m - 1)))
        v = x.var(ddof=1)
        var.append(v)
        infl.append(v * (m + 1) / m)
        err.append(x.mean() - y)
        e = (x > t).sum()
        brier.append((e / m - (y > t)) ** 2)
        brier_fair.append(brier[-1] - e * (m - e) / (m**2 * (m - 1)))
    rmse = np.sqrt(np.mean(np.square(err)))
    fair_all.append(np.array(fair))
    stations = {}
    leads = {}
    for c, s in zip(cases, crps):
        stations.setdefault(c[2], []).append(s)
        leads.setdefault(str(c[1]), []).append(s)
    out["systems"].append({
        "crps": np.mean(crps), "crps_fair": np.mean(fair), "spread": np.sqrt(np.mean(var)),
        "rmse": rmse, "spread_error": np.sqrt(np.mean(infl)) / rmse, "bias": np.mean(err),
        "brier": np.mean(brier), "brier_fair": np.mean(brier_fair),
        "by_station": {k: np.mean(v) for k, v in stations.items()},
        "by_lead": {k: np.mean(v) for k, v in leads.items()},
    })
out["crpss"] = 1 - fair_all[1].mean() / fair_all[0].mean()
days = np.array([c[0] for c in cases])
d = np.array([(fair_all[1] - fair_all[0])[days == k].mean() for k in np.unique(days)])
n = len(d)
lag = int(4 * (n / 100) ** (2 / 9))
e = d - d.mean()
variance = sum((1 if l == 0 else 2 * (1 - l / (lag + 1))) * (e[l:] * e[: n - l]).sum() / n for l in range(lag + 1))
out["t"] = d.mean() / np.sqrt(variance / n)
json.dump(out, sys.stdout)
