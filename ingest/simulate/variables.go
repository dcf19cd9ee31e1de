package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"sipipe/ingest"
)

// field fills dst with values at all places from the signals there; r feeds the
// noise, place after place.
type field func(dst []float32, s *signal, r *rand.Rand)

// quantity is a variable of the archive.
type quantity interface {
	variable() ingest.Variable
	// observed maps the signals of the truth at a valid time to observations,
	// or those of an ideal member to a draw of the observation.
	observed(valid time.Time) field
	// raw maps the signals of a raw member to its forecast.
	raw(valid time.Time) field
	// known lists the constants per place behind the two maps.
	known() []constant
	// maps says in a formula what observed and raw do, in terms of known.
	maps() string
}

// constant is a number per place that a user may want to find again.
type constant struct {
	name, meaning, units string
	values               []float64
}

// world is what quantities are built from.
type world struct {
	*places
	seed       uint64
	localNoise float64       // of raw members, units of the signal
	step       time.Duration // between lead times
}

// quantities builds the variables named. Each draws its constants from streams
// of its own, so that they do not depend on which others are asked for.
func (w *world) quantities(names []string) []quantity {
	build := map[string]func() quantity{
		"t2m":    func() quantity { return newTemperature(w) },
		"wind":   func() quantity { return newWind(w) },
		"tp":     func() quantity { return newRain(w) },
		"regime": func() quantity { return newRegime(w) },
	}
	list := make([]quantity, len(names))
	for i, name := range names {
		list[i] = build[name]()
	}
	return list
}

// Salts of the streams from which the variables draw their constants.
const (
	saltTemperature int64 = iota + 1
	saltWind
	saltRain
	saltRegime
)

// gain is how much of the signal's amplitude the raw model has.
const gain = 0.9

// temperature is 2-m temperature, K: Gaussian given p.
//
//	observed = climate(altitude, t) + 6 p + noise z
//	raw      = climate(model altitude, t) + bias + 6 gain p + 6 localNoise z
//
// The model's daily cycle is too weak (2.5 in place of 3.5 K), and its ground
// is smoother than the true one: the raw forecast has a bias by place and by
// hour of the day, and by place and season none.
type temperature struct {
	*world
	bias, noise []float64 // K
}

const (
	temperatureAmplitude = 6.0     // K per unit of the signal
	lapseRate            = 0.0065  // K m-1
	dailyCycle           = 3.5     // K
	modelDailyCycle      = 2.5     // K
	yearHours            = 8765.82 // of a tropical year
)

func newTemperature(w *world) *temperature {
	t := &temperature{world: w, bias: w.smoothField(w.seed, saltTemperature), noise: make([]float64, w.Len())}
	for i := range t.bias {
		r := placeSource(w.seed, i, saltTemperature)
		t.bias[i] = -0.6 + 1.0*t.bias[i] + 0.5*r.NormFloat64()
		t.noise[i] = 0.7 + 0.8*r.Float64()
	}
	return t
}

func (t *temperature) variable() ingest.Variable {
	return ingest.Variable{Name: "t2m", StandardName: "air_temperature", LongName: "2-m temperature", Units: "K"}
}

// climate is the mean temperature, K, at places of the given heights.
func (t *temperature) climate(valid time.Time, height []float64, cycle float64) []float64 {
	hours := float64(valid.Unix()) / 3600
	season := 9 * math.Cos(2*math.Pi*(hours/yearHours-200/365.2422))
	out := make([]float64, len(height))
	for i, z := range height {
		local := hours + t.Longitude[i]/15
		out[i] = 286 - 0.6*(t.Latitude[i]-45) - lapseRate*z + season + cycle*math.Cos(2*math.Pi*(local-15)/24)
	}
	return out
}

func (t *temperature) observed(valid time.Time) field {
	climate := t.climate(valid, t.Altitude, dailyCycle)
	return func(dst []float32, s *signal, r *rand.Rand) {
		for i, c := range climate {
			dst[i] = float32(c + temperatureAmplitude*s.p[i] + t.noise[i]*r.NormFloat64())
		}
	}
}

func (t *temperature) raw(valid time.Time) field {
	climate := t.climate(valid, t.ModelAltitude, modelDailyCycle)
	for i, b := range t.bias {
		climate[i] += b
	}
	local := temperatureAmplitude * t.localNoise
	return func(dst []float32, s *signal, r *rand.Rand) {
		for i, c := range climate {
			v := c + temperatureAmplitude*gain*s.p[i]
			if local > 0 {
				v += local * r.NormFloat64()
			}
			dst[i] = float32(v)
		}
	}
}

func (t *temperature) known() []constant {
	return []constant{
		{"t2m_bias", "additive bias of the raw model", "K", t.bias},
		{"t2m_noise", "standard deviation of the observation about the signal", "K", t.noise},
	}
}

func (t *temperature) maps() string {
	return "observed = climate(altitude, t) + 6 p + noise z; raw = climate(model_altitude, t) + bias + 5.4 p_member; " +
		"climate = 286 - 0.6 (latitude - 45) - 0.0065 height + 9 cos(2 pi (years since 1970 - 200/365.2422)) + d cos(2 pi (local solar hour - 15)/24), " +
		"d = 3.5 observed, 2.5 raw"
}

// wind is wind speed, m s-1, never negative:
//
//	speed(p, q) = |(4 + 3.5 p, 3.5 q)|
//	observed    = exposure speed(p, q) exp(0.15 z - 0.15^2/2)
//	raw         = factor speed(gain p, gain q)
type wind struct {
	*world
	exposure, factor []float64
}

func newWind(w *world) *wind {
	v := &wind{world: w, factor: w.smoothField(w.seed, saltWind), exposure: make([]float64, w.Len())}
	for i := range v.factor {
		r := placeSource(w.seed, i, saltWind)
		v.exposure[i] = (1 + w.Altitude[i]/3000) * math.Exp(0.25*r.NormFloat64())
		v.factor[i] = 1.15 * math.Exp(0.15*v.factor[i])
	}
	return v
}

const windNoise = 0.15

func (v *wind) variable() ingest.Variable {
	return ingest.Variable{Name: "wind", StandardName: "wind_speed", LongName: "10-m wind speed", Units: "m s-1"}
}

func (v *wind) observed(time.Time) field {
	return func(dst []float32, s *signal, r *rand.Rand) {
		for i, x := range v.exposure {
			gust := math.Exp(windNoise*r.NormFloat64() - windNoise*windNoise/2)
			dst[i] = float32(x * windSpeed(s.p[i], s.q[i]) * gust)
		}
	}
}

func (v *wind) raw(time.Time) field {
	return func(dst []float32, s *signal, _ *rand.Rand) {
		for i, f := range v.factor {
			dst[i] = float32(f * windSpeed(gain*s.p[i], gain*s.q[i]))
		}
	}
}

func windSpeed(p, q float64) float64 {
	u, v := 4+3.5*p, 3.5*q
	return math.Sqrt(u*u + v*v)
}

func (v *wind) known() []constant {
	return []constant{
		{"wind_exposure", "observed over undisturbed wind speed", "1", v.exposure},
		{"wind_factor", "raw over undisturbed wind speed", "1", v.factor},
	}
}

func (v *wind) maps() string {
	return "speed(p, q) = |(4 + 3.5 p, 3.5 q)|; observed = exposure speed(p, q) exp(0.15 z - 0.01125); " +
		"raw = factor speed(0.9 p_member, 0.9 q_member)"
}

// rain is precipitation over one step, kg m-2, censored at zero:
//
//	amount(x) = 4 max(0, x)^1.5
//	observed  = wetness amount(q + 0.4 z - 0.6)
//	raw       = amount(gain q - 0.3)
//
// The raw model rains too often.
type rain struct {
	*world
	wetness []float64
}

func newRain(w *world) *rain {
	a := &rain{world: w, wetness: w.smoothField(w.seed, saltRain)}
	for i := range a.wetness {
		r := placeSource(w.seed, i, saltRain)
		a.wetness[i] = (1 + w.Altitude[i]/2500) * math.Exp(0.25*a.wetness[i]+0.1*r.NormFloat64())
	}
	return a
}

func (a *rain) variable() ingest.Variable {
	return ingest.Variable{
		Name: "tp", StandardName: "precipitation_amount", LongName: "precipitation since the lead time before",
		Units: "kg m-2", CellMethods: fmt.Sprintf("step: sum (interval: %d hours)", int(a.step.Hours())),
	}
}

func (a *rain) observed(time.Time) field {
	return func(dst []float32, s *signal, r *rand.Rand) {
		for i, w := range a.wetness {
			dst[i] = float32(w * rainAmount(s.q[i]+0.4*r.NormFloat64()-0.6))
		}
	}
}

func (a *rain) raw(time.Time) field {
	return func(dst []float32, s *signal, _ *rand.Rand) {
		for i := range dst {
			dst[i] = float32(rainAmount(gain*s.q[i] - 0.3))
		}
	}
}

func rainAmount(x float64) float64 {
	if x <= 0 {
		return 0
	}
	return 4 * x * math.Sqrt(x)
}

func (a *rain) known() []constant {
	return []constant{{"tp_wetness", "observed over undisturbed precipitation", "1", a.wetness}}
}

func (a *rain) maps() string {
	return "amount(x) = 4 max(0, x)^1.5; observed = wetness amount(q + 0.4 z - 0.6); raw = amount(0.9 q_member - 0.3)"
}

// regime is a test variable without unit that is bimodal given the forecast:
//
//	d        = (p + q)/sqrt(2)
//	observed = 4 sign(d + 0.6 z1 - threshold) + 0.5 z2
//	raw      = bias + 3.2 tanh(1.2 d)
//
// Given d ~ N(m, v) the observation is a mixture of N(4, 0.25) and N(-4, 0.25)
// with the weight Phi((m - threshold)/sqrt(v + 0.36)) on the former. A normal
// distribution cannot represent it, whatever its parameters.
type regime struct {
	*world
	bias, threshold []float64
}

const (
	regimeLevel  = 4.0
	regimeSwitch = 0.6 // standard deviation of what decides the regime besides d
	regimeNoise  = 0.5 // standard deviation about the level
)

func newRegime(w *world) *regime {
	g := &regime{world: w, bias: w.smoothField(w.seed, saltRegime), threshold: make([]float64, w.Len())}
	for i := range g.bias {
		r := placeSource(w.seed, i, saltRegime)
		g.threshold[i] = 0.3 * r.NormFloat64()
		g.bias[i] = 0.5 + 0.4*g.bias[i]
	}
	return g
}

func (g *regime) variable() ingest.Variable {
	return ingest.Variable{Name: "regime", LongName: "bimodal test variable", Units: "1"}
}

func (g *regime) observed(time.Time) field {
	return func(dst []float32, s *signal, r *rand.Rand) {
		for i, threshold := range g.threshold {
			level := regimeLevel
			if (s.p[i]+s.q[i])/math.Sqrt2+regimeSwitch*r.NormFloat64() < threshold {
				level = -regimeLevel
			}
			dst[i] = float32(level + regimeNoise*r.NormFloat64())
		}
	}
}

func (g *regime) raw(time.Time) field {
	return func(dst []float32, s *signal, _ *rand.Rand) {
		for i, b := range g.bias {
			dst[i] = float32(b + 0.8*regimeLevel*math.Tanh(1.2*(s.p[i]+s.q[i])/math.Sqrt2))
		}
	}
}

func (g *regime) known() []constant {
	return []constant{
		{"regime_bias", "additive bias of the raw model", "1", g.bias},
		{"regime_threshold", "value of (p + q)/sqrt(2) at which both regimes are equally likely", "1", g.threshold},
	}
}

func (g *regime) maps() string {
	return "d = (p + q)/sqrt(2); observed = 4 sign(d + 0.6 z1 - threshold) + 0.5 z2; raw = bias + 3.2 tanh(1.2 d_member); " +
		"given d ~ N(m, v): N(4, 0.25) with probability Phi((m - threshold)/sqrt(v + 0.36)), else N(-4, 0.25)"
}
