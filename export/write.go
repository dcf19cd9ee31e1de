package export

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"sipipe/ingest"
	"sipipe/ingest/ncio"
)

// fillValue marks missing values: NetCDF's default for floats, which CDO and NCO
// handle better than NaN.
const fillValue = float32(9.969209968386869e+36)

const epoch = "seconds since 1970-01-01 00:00:00"

// chunkValues bounds the values in a chunk [256 KiB], so that readers of a part need
// not unpack all of a large product. Of 10,000 stations, 64 Ki values a chunk
// make the series of one station seven times as fast to read as 1 Mi, and the file as
// large; fewer make the rest slower (docs/explanation/speed.md).
const chunkValues = 1 << 16

// Options of Write.
type Options struct {
	Deflate int // compression level 0 ... 9
}

// Write writes a product to path, complete or not at all: it appears there under its
// name when it is closed and synced. Missing folders are made.
//
// Its errors are a *NonFiniteError or *EmptyError when the forecast must not be
// published, ctx's when that ended, and a *CreateError when the file could not be
// written.
func Write(ctx context.Context, path string, f *Forecast, o Options) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("product %s: %w", path, err)
	}
	a, err := newAxes(f.Vars)
	if err != nil {
		return fmt.Errorf("product %s: %w", path, err)
	}
	err = ncio.WriteAtomic(ctx, path, func(nc *ncio.File) error {
		w := &writer{nc: nc, axes: a, forecast: f, deflate: o.Deflate, bounds: a.bounds(f.Vars)}
		return w.write(ctx)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return &CreateError{Path: path, Err: err}
	}
	return nil
}

// writer fills one file. The first error ends all work: netcdf-c cannot be trusted
// with a file after one.
type writer struct {
	*axes
	nc       *ncio.File
	forecast *Forecast
	deflate  int
	bounds   [][2]time.Duration
	spatial  []string       // dimensions of a place
	data     []func() error // writes of coordinates, after all definitions
}

func (w *writer) write(ctx context.Context) error {
	steps := []func() error{w.attributes, w.realization, w.times, w.where, w.variables}
	for _, define := range steps {
		if err := define(); err != nil {
			return err
		}
	}
	for _, put := range w.data {
		if err := put(); err != nil {
			return err
		}
	}
	buffer := make([]float32, len(w.members)*w.places.Len())
	for k, e := range w.forecast.Vars {
		for l := range w.leads {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !w.fill(buffer, k, e, l) {
				continue // the library fills what is not written
			}
			start, count := w.slab(l)
			if err := w.nc.WriteFloat32s(e.Variable.Name, start, count, buffer); err != nil {
				return err
			}
		}
	}
	return nil
}

// slab is the part of a variable that holds all members and places of lead l.
func (w *writer) slab(l int) (start, count []int) {
	if g := w.places.Grid; g != nil {
		return []int{l, 0, 0, 0}, []int{1, len(w.members), g.NY, g.NX}
	}
	return []int{l, 0, 0}, []int{1, len(w.members), w.places.Len()}
}

func (w *writer) attributes() error {
	for _, a := range globalAttributes(w.forecast, w.axes) {
		if err := w.nc.PutAttr(a); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) realization() error {
	if err := w.nc.AddDim("realization", len(w.members)); err != nil {
		return err
	}
	w.data = append(w.data, func() error { return w.nc.WriteInt32s("realization", nil, nil, w.members) })
	return w.nc.AddVar(ncio.VarDef{Name: "realization", Type: ncio.Int, Dims: []string{"realization"}, Attrs: []ncio.Attr{
		{Name: "standard_name", Value: "realization"},
		{Name: "long_name", Value: "ensemble member number"},
		{Name: "units", Value: "1"},
	}})
}

// times defines cycle, valid time and lead time, with bounds if there are any.
func (w *writer) times() error {
	if err := w.nc.AddDim("time", len(w.leads)); err != nil {
		return err
	}
	valid := make([]float64, len(w.leads))
	lead := make([]int32, len(w.leads))
	for i, d := range w.leads {
		valid[i] = float64(w.cycle.Add(d).Unix())
		if d%time.Second != 0 || d/time.Second > math.MaxInt32 {
			return fmt.Errorf("lead time %s is not a number of seconds that fits into 32 bits", d)
		}
		lead[i] = int32(d / time.Second)
	}
	clock := []ncio.Attr{{Name: "units", Value: epoch}, {Name: "calendar", Value: "standard"}}
	timeAttrs := append([]ncio.Attr{{Name: "standard_name", Value: "time"}, {Name: "long_name", Value: "valid time"}, {Name: "axis", Value: "T"}}, clock...)
	leadAttrs := []ncio.Attr{{Name: "standard_name", Value: "forecast_period"}, {Name: "long_name", Value: "lead time"}, {Name: "units", Value: "seconds"}}
	if w.bounds != nil {
		timeAttrs = append(timeAttrs, ncio.Attr{Name: "bounds", Value: "time_bnds"})
		leadAttrs = append(leadAttrs, ncio.Attr{Name: "bounds", Value: "forecast_period_bnds"})
	}
	w.data = append(w.data,
		func() error {
			return w.nc.WriteFloat64s("forecast_reference_time", nil, nil, []float64{float64(w.cycle.Unix())})
		},
		func() error { return w.nc.WriteFloat64s("time", nil, nil, valid) },
		func() error { return w.nc.WriteInt32s("forecast_period", nil, nil, lead) })
	defs := []ncio.VarDef{
		{Name: "forecast_reference_time", Type: ncio.Double, Attrs: append([]ncio.Attr{{Name: "standard_name", Value: "forecast_reference_time"}, {Name: "long_name", Value: "cycle"}}, clock...)},
		{Name: "time", Type: ncio.Double, Dims: []string{"time"}, Attrs: timeAttrs},
		{Name: "forecast_period", Type: ncio.Int, Dims: []string{"time"}, Attrs: leadAttrs},
	}
	if w.bounds != nil {
		if err := w.nc.AddDim("bnds", 2); err != nil {
			return err
		}
		defs = append(defs, // bounds take the attributes of their parents
			ncio.VarDef{Name: "time_bnds", Type: ncio.Double, Dims: []string{"time", "bnds"}},
			ncio.VarDef{Name: "forecast_period_bnds", Type: ncio.Int, Dims: []string{"time", "bnds"}})
		w.data = append(w.data, w.writeBounds)
	}
	return w.define(defs...)
}

func (w *writer) writeBounds() error {
	var valid []float64
	var lead []int32
	for _, b := range w.bounds {
		for _, d := range b {
			valid = append(valid, float64(w.cycle.Add(d).Unix()))
			lead = append(lead, int32(d/time.Second))
		}
	}
	if err := w.nc.WriteFloat64s("time_bnds", nil, nil, valid); err != nil {
		return err
	}
	return w.nc.WriteInt32s("forecast_period_bnds", nil, nil, lead)
}

func (w *writer) define(defs ...ncio.VarDef) error {
	for _, d := range defs {
		if err := w.nc.AddVar(d); err != nil {
			return err
		}
	}
	return nil
}

// variables defines the calibrated variables.
func (w *writer) variables() error {
	coordinates := w.coordinates()
	for _, e := range w.forecast.Vars {
		v := e.Variable
		attrs := []ncio.Attr{
			{Name: "standard_name", Value: v.StandardName},
			{Name: "long_name", Value: v.LongName},
			{Name: "units", Value: v.Units},
			{Name: "cell_methods", Value: cellMethods(v)},
			{Name: "coordinates", Value: strings.Join(coordinates, " ")},
		}
		if isTemperature(v) {
			attrs = append(attrs, ncio.Attr{Name: "units_metadata", Value: "temperature: on_scale"})
		}
		if w.places.Grid == nil {
			// Without it CDO takes members and stations for the two sides of a grid.
			attrs = append(attrs, ncio.Attr{Name: "CDI_grid_type", Value: "unstructured"})
		}
		attrs = append(attrs, methodAttributes(w.forecast.Provenance.Variables[v.Name])...)
		err := w.nc.AddVar(ncio.VarDef{
			Name:    v.Name,
			Type:    ncio.Float,
			Dims:    append([]string{"time", "realization"}, w.spatial...),
			Attrs:   attrs,
			Fill:    fillValue,
			Deflate: w.deflate,
			Chunks:  w.chunks(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// coordinates lists the auxiliary coordinates of the data: positions first, since CDO
// (2.1.1) looks at the first five only.
func (w *writer) coordinates() []string {
	var positions, others []string
	for _, v := range w.nc.Vars() {
		onPlace := slices.ContainsFunc(v.Dims, func(d ncio.Dim) bool { return slices.Contains(w.spatial, d.Name) })
		isAxis := len(v.Dims) == 1 && v.Dims[0].Name == v.Name
		switch {
		case !onPlace || isAxis:
		case v.Type == ncio.Char:
			others = append(others, v.Name)
		default:
			positions = append(positions, v.Name)
		}
	}
	return slices.Concat(positions, []string{"forecast_reference_time", "forecast_period"}, others)
}

// isTemperature says that the units are those of temperature, of which CF wants to
// know whether they are on the scale or a difference.
func isTemperature(v ingest.Variable) bool {
	switch v.Units {
	case "K", "kelvin", "degC", "Celsius", "celsius", "degree_Celsius":
		return true
	}
	return false
}

// chunks is the shape of a chunk: all members of one lead time and as many places as
// fit, for stations; one member and lead time, for a grid. Both are what programs
// that make products of an ensemble read at once.
func (w *writer) chunks() []int {
	if g := w.places.Grid; g != nil {
		return []int{1, 1, min(g.NY, max(1, chunkValues/g.NX)), min(g.NX, chunkValues)}
	}
	m := min(len(w.members), chunkValues)
	return []int{1, m, min(w.places.Len(), max(1, chunkValues/m))}
}
