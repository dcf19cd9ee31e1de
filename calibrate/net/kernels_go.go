package net

import "math"

// portable implements kernels in Go, for builds without cgo and as a reference.
type portable struct{}

func (portable) name() string { return "go" }

func (portable) matmul(dst []float32, ldd int, a []float32, ars, acs int, x []float32, ldx int, bias []float32, m, k, n int, add bool) {
	for i := range m {
		d := dst[i*ldd:][:n]
		if !add {
			b := float32(0)
			if bias != nil {
				b = bias[i]
			}
			for l := range d {
				d[l] = b
			}
		}
		for j := range k {
			s, row := a[i*ars+j*acs], x[j*ldx:][:n]
			for l, v := range row {
				d[l] += s * v
			}
		}
	}
}

func (portable) outer(dst, g []float32, ldg int, x []float32, ldx int, m, k, n int, add bool) {
	for i := range m {
		p := g[i*ldg:][:n]
		for j := range k {
			s := float32(0)
			for l, v := range x[j*ldx:][:n] {
				s += p[l] * v
			}
			if add {
				s += dst[i*k+j]
			}
			dst[i*k+j] = s
		}
	}
}

func (portable) rowSum(dst, g []float32, ld, m, n int, add bool) {
	for i := range m {
		s := float32(0)
		for _, v := range g[i*ld:][:n] {
			s += v
		}
		if add {
			s += dst[i]
		}
		dst[i] = s
	}
}

func (portable) silu(dst, z []float32, ld, m, n int) {
	for i := range m {
		for l, v := range z[i*ld:][:n] {
			dst[i*ld+l] = silu(v)
		}
	}
}

func (portable) siluGrad(dst, z, g []float32, ld, m, n int) {
	for i := range m {
		for l, v := range z[i*ld:][:n] {
			dst[i*ld+l] = g[i*ld+l] * siluSlope(v)
		}
	}
}

func (portable) film(dst, u, mod, h []float32, ld, m, n int) {
	for i := range m {
		for l := i * ld; l < i*ld+n; l++ {
			s := silu((1+mod[l])*u[l] + mod[m*ld+l])
			if h != nil {
				s += h[l]
			}
			dst[l] = s
		}
	}
}

func (portable) filmGrad(du, dmod, u, mod, g []float32, ld, m, n int) {
	for i := range m {
		for l := i * ld; l < i*ld+n; l++ {
			p := g[l] * siluSlope((1+mod[l])*u[l]+mod[m*ld+l])
			if du != nil {
				du[l] = (1 + mod[l]) * p
			}
			if dmod != nil {
				dmod[l], dmod[m*ld+l] = p*u[l], p
			}
		}
	}
}

func (portable) add(dst, a, b []float32, ld, m, n int) {
	for i := range m {
		for l := i * ld; l < i*ld+n; l++ {
			dst[l] = a[l] + b[l]
		}
	}
}

func (portable) softmax(p, apart []float32, scale, slope float32, ld, n int) {
	for i := range n {
		most := float32(math.Inf(-1))
		for j := range n {
			k := j*ld + i
			if apart[k] >= 0 {
				p[k] = scale*p[k] - slope*apart[k]
				most = max(most, p[k])
			}
		}
		sum := float32(0)
		for j := range n {
			k := j*ld + i
			if apart[k] < 0 {
				p[k] = 0
				continue
			}
			p[k] = float32(math.Exp(float64(p[k] - most)))
			sum += p[k]
		}
		for j := range n {
			if sum > 0 {
				p[j*ld+i] /= sum
			}
		}
	}
}

func (portable) softmaxGrad(dst, p, g []float32, ld, n int) {
	for i := range n {
		sum := float32(0)
		for j := range n {
			sum += p[j*ld+i] * g[j*ld+i]
		}
		for j := range n {
			k := j*ld + i
			dst[k] = p[k] * (g[k] - sum)
		}
	}
}

func (portable) adamw(w, m, v, ema, g []float32, s *adamwStep) {
	for i := range w {
		d := s.clip * g[i]
		m[i] += s.k1 * (d - m[i])
		v[i] += s.k2 * (d*d - v[i])
		w[i] -= s.rate*(m[i]*s.u1)/(float32(math.Sqrt(float64(v[i]*s.u2)))+s.epsilon) + s.shrink*w[i]
		ema[i] += s.average * (w[i] - ema[i])
	}
}

func (portable) sumSquares(g []float32) float64 {
	s := 0.0
	for _, v := range g {
		s += float64(v) * float64(v)
	}
	return s
}

// eval runs lane by lane: the sums are in the order of the vectorised kernel.
func (p portable) eval(dst, x []float64, weights, time, cond, scratch []float32, s *programShape, cases, members int) {
	lanes := cases * members
	hidden, dx, dout, film := int(s.hidden), int(s.dx), int(s.dout), int(s.film)
	a, b := scratch[:hidden], scratch[hidden:2*hidden]
	out := scratch[2*hidden:][:dout]
	in := scratch[2*hidden+dout:][:dx]
	for lane := range lanes {
		c := lane / members
		for d := range in {
			in[d] = float32(x[d*lanes+lane])
		}
		clear(out)
		for k := range int(s.nets) {
			w := weights[k*int(s.stride):]
			tm := time[k*film:][:film]
			cm := cond[(c/group*int(s.nets)+k)*film*group+c%group:]
			layer := func(y, x []float32, residual bool) {
				n := len(x)
				for i := range y {
					u := w[hidden*n+i]
					for j, v := range x {
						u += w[i*n+j] * v
					}
					r := silu((tm[i]+cm[i*group])*u + (tm[hidden+i] + cm[(hidden+i)*group]))
					if residual {
						r += x[i]
					}
					y[i] = r
				}
				w, tm, cm = w[hidden*(n+1):], tm[2*hidden:], cm[min(2*hidden*group, len(cm)):]
			}
			layer(a, in, false)
			for range int(s.blocks) {
				layer(b, a, true)
				a, b = b, a
			}
			for i := range out {
				u := w[hidden*dout+i]
				for j, v := range a {
					u += w[i*hidden+j] * v
				}
				out[i] += u
			}
		}
		for d := range out {
			dst[d*lanes+lane] = float64(out[d]) * (1 / float64(s.nets))
		}
	}
}

func sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

// silu is x sigmoid(x) (Elfwing et al. 2018; also called swish).
func silu(x float32) float32 { return float32(float64(x) / (1 + math.Exp(-float64(x)))) }

// siluSlope is the derivative of silu.
func siluSlope(x float32) float32 {
	s := sigmoid(x)
	return s * (1 + x*(1-s))
}
