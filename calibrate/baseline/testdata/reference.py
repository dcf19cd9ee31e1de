"""Reference fits with numpy and scipy: python3 reference.py, in this folder."""
import numpy as np
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import logistic, norm

YEAR = 365.2425


def load(name):
    d = np.loadtxt(name, delimiter=",")
    return d[:, 0], d[:, 2], d[:, 3:]


def crps_normal(y, mu, s):
    z = (y - mu) / s
    return s * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))


def crps_censored_logistic(y, mu, s):
    z, c = (y - mu) / s, -mu / s
    plain = s * (z - 2 * logistic.logcdf(z) - 1)
    return plain - s * (np.logaddexp(0, c) - logistic.cdf(c))


def fit(f, start):
    """Powell and Nelder-Mead: no gradients."""
    p = start
    for _ in range(6):
        p = minimize(f, p, method="Powell", options={"xtol": 1e-10, "ftol": 1e-14, "maxiter": 100000}).x
        p = minimize(f, p, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 100000, "maxfev": 100000}).x
    return p


def show(name, *values):
    print(name, *["%.7g" % v for v in np.ravel(np.concatenate([np.ravel(v) for v in values]))])


def emos_pnw():
    day, y, x = load("pnw.csv")
    train, test = day < 12449, day >= 12449
    m, v = x.mean(1), x.var(1, ddof=1)
    mc, vc = m[train].mean(), v[train].mean()

    def mean_crps(p, k):
        return crps_normal(y[k], p[0] + p[1] * (m[k] - mc), np.sqrt(p[2] ** 2 + p[3] ** 2 * v[k] / vc)).mean()

    p = fit(lambda p: mean_crps(p, train), [y[train].mean(), 1, 2, 1])
    show("EMOS pnw: a b c d", p[0] - p[1] * mc, p[1], p[2] ** 2, p[3] ** 2 / vc)
    show("  crps train, test", mean_crps(p, train), mean_crps(p, test))


def emos_members_pnw():
    day, y, x = load("pnw.csv")
    k = day < 12449
    x, y = x[k], y[k]
    v = x.var(1, ddof=1)
    mean = x.mean(0)
    design = np.column_stack([np.ones(len(y)), x - mean])
    q, r = np.linalg.qr(design)
    start = np.r_[q.T @ y, 2, 1]
    f = lambda p: crps_normal(y, q @ p[:-2], np.sqrt(p[-2] ** 2 + p[-1] ** 2 * v)).mean()
    p = start
    for _ in range(5):
        p = minimize(f, p, method="BFGS", options={"gtol": 1e-9}).x
    b = np.linalg.solve(r, p[:-2])
    show("EMOS pnw, member weights", b[1:])
    show("  crps", f(p))


def seasonal_tmin():
    day, y, x = load("tmin.csv")
    m, s = x.mean(1), x.std(1, ddof=1)
    floor = 0.05 * s.mean() + 1e-6
    h = [np.sin(2 * np.pi * day / YEAR), np.cos(2 * np.pi * day / YEAR)]
    mc = m - m.mean()
    loc = np.column_stack([np.ones(len(y)), mc, h[0], h[0] * mc, h[1], h[1] * mc])
    sca = np.column_stack([np.ones(len(y)), np.log(s + floor), *h])
    sca[:, 1] -= sca[:, 1].mean()
    f = lambda p: crps_normal(y, loc @ p[:6], np.exp(sca @ p[6:])).mean()
    b = np.linalg.lstsq(loc, y, rcond=None)[0]
    p = np.r_[b, np.log(np.std(y - loc @ b)), 0, 0, 0]
    for _ in range(5):
        p = minimize(f, p, method="BFGS", options={"gtol": 1e-9}).x
    show("seasonal EMOS tmin: location and scale at row 0", loc[0] @ p[:6], np.exp(sca[0] @ p[6:]))
    show("  crps", f(p))


def censored_rain():
    day, y, x = load("rain.csv")
    r, x = np.sqrt(y), np.sqrt(x)
    m, v = x.mean(1), x.var(1, ddof=1)
    f = lambda p: crps_censored_logistic(r, p[0] + p[1] * m, np.sqrt(p[2] ** 2 + p[3] ** 2 * v)).mean()
    p = fit(f, [0, 1, 0.5, 0.5])
    show("censored logistic rain: a b c d", p[0], p[1], p[2] ** 2, p[3] ** 2)
    show("  crps of the root", f(p))
    # On the physical scale, by quadrature, of every tenth row.
    total = []
    for i in range(0, len(y), 10):
        mu, s = p[0] + p[1] * m[i], np.sqrt(p[2] ** 2 + p[3] ** 2 * v[i])
        g = lambda u: (logistic.cdf(u, mu, s) - (u >= r[i])) ** 2 * 2 * u
        total.append(quad(g, 0, r[i], epsabs=1e-11)[0] + quad(g, r[i], r[i] + mu + 50 * s, epsabs=1e-11, limit=200)[0])
    show("  crps of the amount", np.mean(total))


def bma_pnw():
    day, y, x = load("pnw.csv")
    k = day < 12449
    x, y = x[k], y[k]
    n = x.shape[1]
    fit1 = [np.polyfit(x[:, j], y, 1) for j in range(n)]
    e2 = np.column_stack([(y - np.polyval(fit1[j], x[:, j])) ** 2 for j in range(n)])
    w, s2 = np.full(n, 1 / n), e2.mean()
    for _ in range(20000):
        z = w * np.exp(-e2 / (2 * s2))
        z /= z.sum(1, keepdims=True)
        w, s2 = z.mean(0), (z * e2).sum() / len(y)
    show("BMA pnw: intercept and slope of member 0", fit1[0][1], fit1[0][0])
    show("  sigma, weights", np.sqrt(s2), w)
    lik = np.log((w * np.exp(-e2 / (2 * s2))).sum(1)).mean() - np.log(2 * np.pi * s2) / 2
    show("  mean log-likelihood", lik)


for run in (emos_pnw, emos_members_pnw, seasonal_tmin, censored_rain, bma_pnw):
    run()
