package export

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"sipipe/ingest"
	"sipipe/ingest/ncio"
)

// Read reads a product that Write has written. All variables come on the axes of the
// file, so that where they were united, what a variable lacks is NaN. Metadata hold
// the text attributes that are no provenance.
func Read(ctx context.Context, path string) (f *Forecast, err error) {
	nc, err := ncio.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, nc.Close()) }()
	r := reader{nc: nc}
	if f, err = r.read(ctx); err != nil {
		return nil, fmt.Errorf("%s is not a product of sipipe: %w", path, err)
	}
	return f, nil
}

type reader struct {
	nc      *ncio.File
	cycle   time.Time
	leads   []time.Duration
	members []int32
	places  *ingest.Places
}

func (r *reader) read(ctx context.Context) (*Forecast, error) {
	for _, part := range []func() error{r.times, r.realization, r.where} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	f := &Forecast{Metadata: map[string]string{}}
	for _, v := range r.nc.Vars() {
		if v.Type != ncio.Float || len(v.Dims) < 3 || v.Dims[0].Name != "time" || v.Dims[1].Name != "realization" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, err := r.variable(v)
		if err != nil {
			return nil, err
		}
		f.Vars = append(f.Vars, e)
	}
	if len(f.Vars) == 0 {
		return nil, errors.New("it has no variable with the dimensions time and realization")
	}
	f.Provenance = readProvenance(r.nc, f.Vars)
	for _, a := range r.nc.Attrs() {
		if text, ok := a.Value.(string); ok {
			f.Metadata[a.Name] = text
		}
	}
	return f, nil
}

func (r *reader) times() error {
	cycle, err := r.nc.Int64s("forecast_reference_time")
	if err != nil {
		return err
	}
	r.cycle = time.Unix(cycle[0], 0).UTC()
	lead, err := r.nc.Int64s("forecast_period")
	for _, s := range lead {
		r.leads = append(r.leads, time.Duration(s)*time.Second)
	}
	return err
}

func (r *reader) realization() error {
	numbers, err := r.nc.Int64s("realization")
	for _, n := range numbers {
		r.members = append(r.members, int32(n))
	}
	return err
}

func (r *reader) where() error {
	p := &ingest.Places{}
	r.places = p
	for _, c := range []struct {
		names []string
		dst   *[]float64
		must  bool
	}{
		{[]string{"latitude", "lat"}, &p.Latitude, true},
		{[]string{"longitude", "lon"}, &p.Longitude, true},
		{[]string{"altitude"}, &p.Altitude, false},
		{[]string{"model_altitude"}, &p.ModelAltitude, false},
	} {
		var err error
		if *c.dst, err = r.first(c.names, c.must); err != nil {
			return err
		}
	}
	if _, ok := r.nc.Var("station_id"); ok {
		return r.stations()
	}
	return r.grid()
}

// first reads the first of the named variables that is there.
func (r *reader) first(names []string, must bool) ([]float64, error) {
	for _, n := range names {
		if _, ok := r.nc.Var(n); ok {
			return r.nc.Float64s(n, nil, nil)
		}
	}
	if must {
		return nil, fmt.Errorf("it has no %s", names[0])
	}
	return nil, nil
}

func (r *reader) stations() (err error) {
	p := r.places
	if p.ID, err = r.nc.Strings("station_id"); err != nil {
		return err
	}
	if _, ok := r.nc.Var("station_name"); ok {
		if p.Name, err = r.nc.Strings("station_name"); err != nil {
			return err
		}
	}
	r.unknownAltitude()
	return nil
}

func (r *reader) unknownAltitude() {
	p := r.places
	if p.Altitude == nil {
		p.Altitude = make([]float64, p.Len())
		for i := range p.Altitude {
			p.Altitude[i] = math.NaN()
		}
	}
}

func (r *reader) grid() error {
	p := r.places
	for _, v := range r.nc.Vars() {
		if len(v.Dims) == 4 && v.Dims[0].Name == "time" {
			y, x := v.Dims[2], v.Dims[3]
			p.Grid = &ingest.Grid{NY: y.Len, NX: x.Len, YName: y.Name, XName: x.Name}
			break
		}
	}
	g := p.Grid
	if g == nil {
		return errors.New("it has neither stations nor a grid")
	}
	if len(p.Latitude) == g.NY*g.NX && len(p.Longitude) == g.NY*g.NX && (g.NY > 1 || g.NX > 1) {
		g.Curvilinear = true
	} else if len(p.Latitude) == g.NY && len(p.Longitude) == g.NX {
		lat, lon := p.Latitude, p.Longitude
		p.Latitude, p.Longitude = make([]float64, 0, g.NY*g.NX), make([]float64, 0, g.NY*g.NX)
		for j := range g.NY {
			for i := range g.NX {
				p.Latitude, p.Longitude = append(p.Latitude, lat[j]), append(p.Longitude, lon[i])
			}
		}
	} else {
		return errors.New("latitude and longitude do not fit its grid")
	}
	for j := range g.NY {
		for i := range g.NX {
			p.ID = append(p.ID, fmt.Sprintf("%d,%d", j, i))
		}
	}
	r.unknownAltitude()
	return nil
}

// variable reads [lead, member, place] and turns it into [lead, place, member].
func (r *reader) variable(v ncio.Var) (*ingest.Ensemble, error) {
	file, err := r.nc.Float32s(v.Name, nil, nil)
	if err != nil {
		return nil, err
	}
	m, l, p := len(r.members), len(r.leads), r.places.Len()
	if len(file) != m*l*p {
		return nil, fmt.Errorf("%s has %d values for %d members, %d lead times and %d places", v.Name, len(file), m, l, p)
	}
	values := make([]float32, len(file))
	for i := range l {
		for j := range m {
			for k := range p {
				values[(i*p+k)*m+j] = file[(i*m+j)*p+k]
			}
		}
	}
	return &ingest.Ensemble{
		Variable: ingest.Variable{
			Name:         v.Name,
			StandardName: v.Text("standard_name"),
			LongName:     v.Text("long_name"),
			Units:        v.Text("units"),
			CellMethods:  v.Text("cell_methods"),
		},
		Cycle:   r.cycle,
		Leads:   r.leads,
		Members: r.members,
		Places:  r.places,
		Values:  values,
	}, nil
}
