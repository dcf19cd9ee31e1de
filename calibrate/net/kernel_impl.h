// The kernels for vectors of W floats; each kernel_*.c includes this once with W,
// NV (vectors side by side in a register block) and TABLE (the name of its table).
//
// Activations are matrices [rows, lanes] with leading dimension ld, a lane being one
// case of a batch or one member of a case. Lanes go along the vectors and every
// lane sees the same operations in the same order whatever its position, so that
// results do not depend on how lanes are cut into tiles.

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "kernel.h"

#define INLINE static inline __attribute__((always_inline))
#define GROUP 16 // cases side by side in eval, see program.go

typedef float vec __attribute__((vector_size(4 * W)));
typedef float memvec __attribute__((vector_size(4 * W), aligned(4), may_alias)); // in memory: aligned as floats are
typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(4 * W)));

INLINE vec load(const float *p) { return *(const memvec *)p; }
INLINE void store(float *p, vec v) { *(memvec *)p = v; }
INLINE vec splat(float s) { return s - (vec){}; }

#ifndef VMIN // builds with an instruction for it define these
INLINE vec choose(ivec c, vec a, vec b) { return (vec)((c & (ivec)a) | (~c & (ivec)b)); }
#define VMIN(a, b) choose((a) < (b), a, b)
#define VMAX(a, b) choose((a) > (b), a, b)
INLINE vec root(vec a) {
  for (int j = 0; j < W; j++) a[j] = sqrtf(a[j]);
  return a;
}
#define VSQRT(a) root(a)
#endif

// exp_neg returns exp(-x), relative error at most 2e-7 + 1e-7 |x|, for |x| < 86; beyond, the value at the
// nearer end. With -x log2(e) = n + f, |f| <= 1/2, it is 2^n times the polynomial of
// degree 5 with the least maximum relative error against 2^f (fitted by Lawson's
// reweighted least squares on 4001 points; 7.5e-8).
INLINE vec exp_neg(vec x) {
  vec y = x * splat(-1.44269504f);
  y = VMAX(y, splat(-125.f));
  y = VMIN(y, splat(125.f));
  // Adding 1.5 * 2^23 rounds to the nearest integer, which is left in the low bits.
  vec r = y + splat(12582912.f);
  vec f = y - (r - splat(12582912.f));
  vec p = splat(0.0013276472454890609f);
  p = p * f + splat(0.009675540961325169f);
  p = p * f + splat(0.05550713092088699f);
  p = p * f + splat(0.24022120237350464f);
  p = p * f + splat(0.6931469440460205f);
  p = p * f + splat(1.0000001192092896f);
  return (vec)((ivec)p + ((ivec)r << 23));
}

// sigmoid(x) = 1 / (1 + exp(-x)); silu(x) = x sigmoid(x).
INLINE vec sigmoid(vec x) { return splat(1.f) / (splat(1.f) + exp_neg(x)); }
INLINE vec silu(vec x) { return x / (splat(1.f) + exp_neg(x)); }

// silu_slope is the derivative of silu: s (1 + x (1 - s)) with s = sigmoid(x).
INLINE vec silu_slope(vec x) {
  vec s = sigmoid(x);
  return s * (splat(1.f) + x * (splat(1.f) - s));
}

// product accumulates mr x nv vectors of a x: acc[i][j] += sum_k a[i,k] x[k, j-th vector].
// It must be inlined with constant mr and nv for acc to live in registers.
INLINE void product(vec acc[4][NV], const float *a, int ars, int acs, const float *x, int ldx, int k,
                    const int mr, const int nv) {
  for (int c = 0; c < k; c++, x += ldx, a += acs) {
    vec v[NV];
    for (int j = 0; j < nv; j++) v[j] = load(x + j * W);
    for (int i = 0; i < mr; i++) {
      vec s = splat(a[i * ars]);
      for (int j = 0; j < nv; j++) acc[i][j] += s * v[j];
    }
  }
}

INLINE void matmul_block(float *dst, int ldd, const float *a, int ars, int acs, const float *x, int ldx,
                         const float *bias, int k, int add, const int mr, const int nv) {
  vec acc[4][NV];
  for (int i = 0; i < mr; i++)
    for (int j = 0; j < nv; j++) acc[i][j] = add ? load(dst + i * ldd + j * W) : splat(bias ? bias[i] : 0.f);
  product(acc, a, ars, acs, x, ldx, k, mr, nv);
  for (int i = 0; i < mr; i++)
    for (int j = 0; j < nv; j++) store(dst + i * ldd + j * W, acc[i][j]);
}

// matmul computes dst[m, n] (+)= a[m, k] x[k, n] (+ bias[m]) with a[i, j] at i*ars + j*acs.
// n is a multiple of 16; bias is ignored when adding.
static void matmul(float *dst, int ldd, const float *a, int ars, int acs, const float *x, int ldx,
                   const float *bias, int m, int k, int n, int add) {
  int c = 0;
  for (; c + NV * W <= n; c += NV * W) {
    int r = 0;
    for (; r + 4 <= m; r += 4)
      matmul_block(dst + r * ldd + c, ldd, a + r * ars, ars, acs, x + c, ldx, bias ? bias + r : 0, k, add, 4, NV);
    for (; r < m; r++)
      matmul_block(dst + r * ldd + c, ldd, a + r * ars, ars, acs, x + c, ldx, bias ? bias + r : 0, k, add, 1, NV);
  }
  for (; c < n; c += W) {
    int r = 0;
    for (; r + 4 <= m; r += 4)
      matmul_block(dst + r * ldd + c, ldd, a + r * ars, ars, acs, x + c, ldx, bias ? bias + r : 0, k, add, 4, 1);
    for (; r < m; r++)
      matmul_block(dst + r * ldd + c, ldd, a + r * ars, ars, acs, x + c, ldx, bias ? bias + r : 0, k, add, 1, 1);
  }
}

// Lane j of a vector that is merged from two, for transpose_sum: lanes whose bit
// `half` is clear come from the first, the others from the second.
#define FROM(j, half) ((j) & (half) ? W + ((j) & ~(half)) : (j))
#define FROM4(j, h) FROM(j, h), FROM(j + 1, h), FROM(j + 2, h), FROM(j + 3, h)
#if W == 4
#define MERGE(h) {FROM4(0, h)}
#elif W == 8
#define MERGE(h) {FROM4(0, h), FROM4(4, h)}
#else
#define MERGE(h) {FROM4(0, h), FROM4(4, h), FROM4(8, h), FROM4(12, h)}
#endif

// transpose_sum replaces v[0] by the vector whose lane j is the sum over the lanes of
// v[j], j < W, by halving the number of vectors log2(W) times.
INLINE void transpose_sum(vec *v) {
  static const ivec merge[4] = {MERGE(1), MERGE(2), MERGE(4), MERGE(8)};
#pragma GCC unroll 4
  for (int s = 0; 1 << s < W; s++) {
#pragma GCC unroll 8
    for (int i = 0; i < W >> (s + 1); i++) {
      vec a = v[2 * i], b = v[2 * i + 1];
      v[i] = __builtin_shuffle(a, b, merge[s]) + __builtin_shuffle(a, b, merge[s] + (1 << s));
    }
  }
}

INLINE float lane_sum(vec v) {
  float s = 0;
  for (int j = 0; j < W; j++) s += v[j];
  return s;
}

// outer computes dst[m, k] (+)= sum over lanes of g[m, n] x[k, n]; dst is dense, n a multiple of 16.
static void outer(float *dst, const float *g, int ldg, const float *x, int ldx, int m, int k, int n, int add) {
  int r = 0;
  for (; r + 4 <= m; r += 4) {
    int c = 0;
    for (; c + 4 <= k; c += 4) {
      vec acc[16] = {};
      for (int l = 0; l < n; l += W) {
        vec b[4];
        for (int j = 0; j < 4; j++) b[j] = load(x + (c + j) * ldx + l);
        for (int i = 0; i < 4; i++) {
          vec a = load(g + (r + i) * ldg + l);
          for (int j = 0; j < 4; j++) acc[4 * i + j] += a * b[j];
        }
      }
      float sum[16];
      for (int i = 0; i < 16; i += W) {
        transpose_sum(acc + i);
        store(sum + i, acc[i]);
      }
      for (int i = 0; i < 4; i++) {
        quad *d = (quad *)(dst + (r + i) * k + c), q = *(quad *)(sum + 4 * i);
        if (add) q += *d;
        *d = q;
      }
    }
    for (; c < k; c++)
      for (int i = 0; i < 4; i++) {
        vec acc = {};
        for (int l = 0; l < n; l += W) acc += load(g + (r + i) * ldg + l) * load(x + c * ldx + l);
        float *d = dst + (r + i) * k + c;
        *d = add ? *d + lane_sum(acc) : lane_sum(acc);
      }
  }
  for (; r < m; r++)
    for (int c = 0; c < k; c++) {
      vec acc = {};
      for (int l = 0; l < n; l += W) acc += load(g + r * ldg + l) * load(x + c * ldx + l);
      float *d = dst + r * k + c;
      *d = add ? *d + lane_sum(acc) : lane_sum(acc);
    }
}

// row_sum computes dst[m] (+)= sum over lanes of g[m, n].
static void row_sum(float *dst, const float *g, int ldg, int m, int n, int add) {
  for (int r = 0; r < m; r++) {
    vec acc = {};
    for (int l = 0; l < n; l += W) acc += load(g + r * ldg + l);
    dst[r] = add ? dst[r] + lane_sum(acc) : lane_sum(acc);
  }
}

static void silu_rows(float *dst, const float *z, int ld, int m, int n) {
  for (int r = 0; r < m; r++)
    for (int l = 0; l < n; l += W) store(dst + r * ld + l, silu(load(z + r * ld + l)));
}

// silu_grad computes dst = g silu'(z).
static void silu_grad(float *dst, const float *z, const float *g, int ld, int m, int n) {
  for (int r = 0; r < m; r++)
    for (int l = 0; l < n; l += W)
      store(dst + r * ld + l, load(g + r * ld + l) * silu_slope(load(z + r * ld + l)));
}

// film computes dst = (h +) silu((1 + scale) u + shift), scale and shift being the first and
// the last m rows of mod.
static void film(float *dst, const float *u, const float *mod, const float *h, int ld, int m, int n) {
  const float *scale = mod, *shift = mod + m * ld;
  for (int r = 0; r < m; r++)
    for (int l = 0; l < n; l += W) {
      int i = r * ld + l;
      vec x = load(u + i);
      vec s = silu(load(scale + i) * x + x + load(shift + i));
      if (h) s += load(h + i);
      store(dst + i, s);
    }
}

// film_grad computes the gradients of film: with p = g silu'((1 + scale) u + shift),
// du = p (1 + scale), dmod = [p u; p].
static void film_grad(float *du, float *dmod, const float *u, const float *mod, const float *g, int ld, int m, int n) {
  const float *scale = mod, *shift = mod + m * ld;
  for (int r = 0; r < m; r++)
    for (int l = 0; l < n; l += W) {
      int i = r * ld + l;
      vec x = load(u + i), s = load(scale + i);
      vec p = load(g + i) * silu_slope(s * x + x + load(shift + i));
      if (du) store(du + i, s * p + p);
      if (dmod) {
        store(dmod + i, p * x);
        store(dmod + m * ld + i, p);
      }
    }
}

static void add_rows(float *dst, const float *a, const float *b, int ld, int m, int n) {
  for (int r = 0; r < m; r++)
    for (int l = 0; l < n; l += W) store(dst + r * ld + l, load(a + r * ld + l) + load(b + r * ld + l));
}

// softmax replaces each column of p[n, n] by the softmax of scale p - slope apart over the
// rows where apart is not negative, by 0 elsewhere; n is a multiple of 16.
static void softmax(float *p, const float *apart, float scale, float slope, int ld, int n) {
  const vec out = splat(-1e30f);
  for (int l = 0; l < n; l += W) {
    vec most = out;
    for (int r = 0; r < n; r++) {
      vec d = load(apart + r * ld + l), z = splat(scale) * load(p + r * ld + l) - splat(slope) * d;
      ivec in = d >= splat(0.f);
      z = (vec)((in & (ivec)z) | (~in & (ivec)out));
      store(p + r * ld + l, z);
      most = VMAX(most, z);
    }
    vec sum = splat(0.f);
    for (int r = 0; r < n; r++) {
      vec z = load(p + r * ld + l), e = exp_neg(most - z);
      ivec in = z > splat(-0.5e30f);
      e = (vec)(in & (ivec)e);
      store(p + r * ld + l, e);
      sum += e;
    }
    // A column without rows has the sum 0 and stays 0.
    vec share = splat(1.f) / VMAX(sum, splat(1e-30f));
    for (int r = 0; r < n; r++) store(p + r * ld + l, share * load(p + r * ld + l));
  }
}

// softmax_grad computes dst = p (g - sum over rows of p g).
static void softmax_grad(float *dst, const float *p, const float *g, int ld, int n) {
  for (int l = 0; l < n; l += W) {
    vec sum = splat(0.f);
    for (int r = 0; r < n; r++) sum += load(p + r * ld + l) * load(g + r * ld + l);
    for (int r = 0; r < n; r++)
      store(dst + r * ld + l, load(p + r * ld + l) * (load(g + r * ld + l) - sum));
  }
}

// adamw is one step of AdamW and of the moving average; c holds, in the order of
// adamwStep in Go, the factor on the gradient, 1 - beta1, 1 - beta2, the two bias
// corrections, the rate, the decay times the rate, epsilon, and 1 - the average's decay.
static void adamw(float *w, float *m, float *v, float *ema, const float *g, int n, const float *c) {
  const vec clip = splat(c[0]), k1 = splat(c[1]), k2 = splat(c[2]), u1 = splat(c[3]), u2 = splat(c[4]),
            rate = splat(c[5]), decay = splat(c[6]), eps = splat(c[7]), kema = splat(c[8]);
  for (int i = 0; i < n; i += W) {
    // The last elements go through copies: tensors are not padded.
    float tail[5][W];
    float *at[5] = {w + i, m + i, v + i, ema + i, (float *)g + i};
    const int short_ = n - i < W;
    if (short_)
      for (int j = 0; j < 5; j++) {
        memset(tail[j], 0, sizeof tail[j]);
        memcpy(tail[j], at[j], (n - i) * sizeof(float));
        at[j] = tail[j];
      }
    vec d = clip * load(at[4]), a = load(at[0]), b = load(at[1]), q = load(at[2]), e = load(at[3]);
    b += k1 * (d - b);
    q += k2 * (d * d - q);
    a -= rate * (b * u1) / (VSQRT(q * u2) + eps) + decay * a;
    e += kema * (a - e);
    store(at[0], a);
    store(at[1], b);
    store(at[2], q);
    store(at[3], e);
    if (short_) {
      float *to[4] = {w + i, m + i, v + i, ema + i};
      for (int j = 0; j < 4; j++) memcpy(to[j], tail[j], (n - i) * sizeof(float));
    }
  }
}

static double sum_squares(const float *g, int n) {
  double acc[8] = {};
  int i = 0;
  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; j++) acc[j] += (double)g[i + j] * g[i + j];
  double s = 0;
  for (; i < n; i++) s += (double)g[i] * g[i];
  for (int j = 0; j < 8; j++) s += acc[j];
  return s;
}

// layer computes, for mr rows of nv vectors, y = silu(scale (w x + bias) + shift) + h
// where scale and shift are [row, GROUP], the lanes of a vector being cases.
INLINE void layer_rows(float *y, const float *w, int k, const float *x, int ldx, const float *bias,
                       const float *scale, const float *shift, const float *h, const int mr, const int nv) {
  vec acc[4][NV];
  for (int i = 0; i < mr; i++)
    for (int j = 0; j < nv; j++) acc[i][j] = splat(bias[i]);
  product(acc, w, k, 1, x, ldx, k, mr, nv);
  for (int i = 0; i < mr; i++)
    for (int j = 0; j < nv; j++) {
      int c = i * GROUP + j * W % GROUP;
      vec s = silu(load(scale + c) * acc[i][j] + load(shift + c));
      if (h) s += load(h + i * ldx + j * W);
      store(y + i * ldx + j * W, s);
    }
}

INLINE void layer(float *y, const float *w, int k, const float *x, int ldx, const float *bias, const float *film_,
                  const float *h, int m, const int nv) {
  const float *scale = film_, *shift = film_ + m * GROUP;
  int r = 0;
  for (; r + 4 <= m; r += 4)
    layer_rows(y + r * ldx, w + r * k, k, x, ldx, bias + r, scale + r * GROUP, shift + r * GROUP, h ? h + r * ldx : 0, 4, nv);
  for (; r < m; r++)
    layer_rows(y + r * ldx, w + r * k, k, x, ldx, bias + r, scale + r * GROUP, shift + r * GROUP, h ? h + r * ldx : 0, 1, nv);
}

// forward runs one network on nv vectors of lanes: x[dx, ld], out[dout, ld] added to; a and b
// are two buffers of hidden rows.
INLINE void forward(float *out, const float *x, const float *w, const float *mod, float *a, float *b,
                    const net_shape *s, int ld, const int nv) {
  const int h = s->hidden;
  layer(a, w, s->dx, x, ld, w + h * s->dx, mod, 0, h, nv);
  w += h * s->dx + h;
  mod += 2 * h * GROUP;
  for (int l = 0; l < s->blocks; l++, w += h * h + h, mod += 2 * h * GROUP) {
    layer(b, w, h, a, ld, w + h * h, mod, a, h, nv);
    float *t = a;
    a = b;
    b = t;
  }
  for (int r = 0; r < s->dout; r++) {
    vec acc[4][NV];
    for (int j = 0; j < nv; j++) acc[0][j] = splat(w[h * s->dout + r]);
    product(acc, w + r * h, h, 1, a, ld, h, 1, nv);
    for (int j = 0; j < nv; j++) store(out + r * ld + j * W, load(out + r * ld + j * W) + acc[0][j]);
  }
}

// eval runs the mean of several networks over cases x members lanes: x[dx, case, member],
// dst[dout, case, member]; cond[group of GROUP cases, net, film row, GROUP], time[net, film row].
// Internally members of GROUP cases are interleaved, [member, GROUP], so that FiLM's
// numbers are vectors which all members share.
static void eval(double *dst, const double *x, const float *weights, const float *time, const float *cond,
                 float *scratch, const net_shape *s, int cases, int members) {
  enum { LANES = NV * W < GROUP ? GROUP : NV * W };
  const int rows = s->film, lanes = cases * members, per = LANES / GROUP;
  float *mod = scratch;                         // [net, row, GROUP]
  float *in = mod + s->nets * rows * GROUP;     // [dx, LANES]
  float *out = in + s->dx * LANES;              // [dout, LANES]
  float *a = out + s->dout * LANES;             // [hidden, LANES]
  float *b = a + s->hidden * LANES;
  const double share = 1.0 / s->nets;
  for (int first = 0; first < cases; first += GROUP) {
    int n = cases - first < GROUP ? cases - first : GROUP;
    for (int i = 0; i < s->nets * rows; i++)
      for (int l = 0; l < GROUP; l += W)
        store(mod + i * GROUP + l, load(cond + i * GROUP + l) + splat(time[i]));
    cond += s->nets * rows * GROUP;
    for (int m = 0; m < members; m += per) {
      int here = members - m < per ? members - m : per;
      memset(in, 0, s->dx * LANES * sizeof(float));
      memset(out, 0, s->dout * LANES * sizeof(float));
      for (int d = 0; d < s->dx; d++)
        for (int c = 0; c < n; c++)
          for (int i = 0; i < here; i++)
            in[d * LANES + i * GROUP + c] = x[(size_t)d * lanes + (size_t)(first + c) * members + m + i];
      for (int k = 0; k < s->nets; k++) {
        const float *w = weights + k * s->stride, *film_ = mod + k * rows * GROUP;
        if (NV * W < GROUP)
          for (int l = 0; l < GROUP; l += NV * W) {
            // A register block narrower than a group sees its own columns of FiLM.
            forward(out + l, in + l, w, film_ + l, a + l, b + l, s, LANES, NV);
          }
        else if (here > per / 2)
          forward(out, in, w, film_, a, b, s, LANES, NV);
        else
          forward(out, in, w, film_, a, b, s, LANES, (NV + 1) / 2);
      }
      for (int d = 0; d < s->dout; d++)
        for (int c = 0; c < n; c++)
          for (int i = 0; i < here; i++)
            dst[(size_t)d * lanes + (size_t)(first + c) * members + m + i] = out[d * LANES + i * GROUP + c] * share;
    }
  }
}

const net_kernels TABLE = {matmul, outer,     row_sum, silu_rows,   silu_grad, film,
                           film_grad, add_rows, softmax, softmax_grad, adamw, sum_squares, eval,      NAME};
